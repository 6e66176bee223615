#include <stdio.h>
#include "version.h"
const char* greeting(void);
int main(void) {
  printf("%s, version %s\n", greeting(), VERSION);
  return 0;
}
