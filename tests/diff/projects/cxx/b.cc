#include <cstdio>
#include <fstream>
#include <sstream>
#include "pre.h"
int main() {
  {
    std::ofstream out("stream.txt");
    out << joined({"from", "a", "stream"}) << "\n";
  }
  std::ifstream in("stream.txt");
  std::stringstream text;
  text << in.rdbuf();
  std::rename("stream.txt", "renamed.txt");
  std::printf("%s", text.str().c_str());
}
