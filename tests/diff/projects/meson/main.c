#include <stdio.h>
#include "config.h"
#include "generated.h"
int part(void);
int shared(void);
int main(void) {
  printf("%s %d\n", NAME, part() + shared() + GENERATED);
  return 0;
}
