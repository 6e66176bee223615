# generate.sh N: N small C files, a main that adds them up, and a Makefile for all of them
n=$1
: > sum.h
for i in $(seq "$n"); do
  echo "int part$i(void) { return $i; }" > "part$i.c"
  echo "int part$i(void);" >> sum.h
done
{
  echo '#include <stdio.h>'
  echo '#include "sum.h"'
  echo 'int main(void) { int s = 0;'
  for i in $(seq "$n"); do echo "s += part$i();"; done
  printf '%s\n' 'printf("%d\n", s); return 0; }'
} > main.c
cat > Makefile <<'M'
objects := $(patsubst %.c,%.o,$(wildcard *.c))
all: $(objects)
	$(CC) -o $@ $(sort $(objects))
%.o: %.c
	$(CC) -MMD -c -o $@ $<
-include $(wildcard *.d)
clean:
	rm -f all *.o *.d
M
