// The tree that every case finds, in the directory under test and beside it.
#pragma once

#include <string>

namespace calls {

class Fixture {
 public:
  // Removes what is there and makes it afresh.
  void build();
  // After a case: "same", or every name with its status. Afterwards the tree is as it was.
  std::string judge_and_mend();
  // Whether the last judged case left a trace of any kind, also one that judge_and_mend() does not say.
  bool touched() const { return touched_; }
  // Before judge_and_mend(): whether the tree differs.
  bool differs() const;

 private:
  std::string outline_, exact_;
  int pipe_ = -1, stream_ = -1, packets_ = -1;
  bool touched_ = false;
};

}  // namespace calls
