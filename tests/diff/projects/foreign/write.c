/* write NAME: writes a line into a new file and reads it back, in plain C for any libc. */
#include <stdio.h>

int main(int argc, char** argv) {
  char text[32];
  FILE* file = argc > 1 ? fopen(argv[1], "w") : NULL;
  if (!file || fputs("written\n", file) < 0 || fclose(file) != 0) return 1;
  file = fopen(argv[1], "r");
  if (!file || !fgets(text, sizeof text, file)) return 2;
  fclose(file);
  fputs(text, stdout);
  return 0;
}
