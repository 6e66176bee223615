// A mistake that must be found: proof that findings fail the run.
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wbshim::fuzz::demand(size < 3 || data[0] != 'w' || data[1] != 'b' || data[2] != '!',
                       "the canary lives");
  return 0;
}
