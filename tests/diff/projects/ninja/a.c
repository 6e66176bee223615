#include "b.h"
int main(void) { return b() - 4; }
