#include <config.h>
#include <stdio.h>
int part(void);
int main(void) {
  printf("%s %d\n", PACKAGE_NAME, part());
  return 0;
}
