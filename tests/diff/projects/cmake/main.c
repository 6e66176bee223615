#include <stdio.h>
#include "config.h"
int part(void);
int shared(void);
int main(void) {
  printf("%s %d\n", NAME, part() + shared());
  return 0;
}
