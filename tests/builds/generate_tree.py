"""generate_tree.py DIRECTORY: writes a C project of over 100 files and 50,000 lines with the files of make, meson, cmake and autotools. The
same one every time."""
import os
import random
import sys

MODULES, FUNCTIONS = 120, 18
OF_LIBTOOL = 25  # it compiles everything twice


def function(dice, module, number):
    name = f"m{module}_f{number}"
    yield f"int {name}(int a, const char *s)"
    yield "{"
    yield f"    static const char *const words[] = {{\"{name}\", \"{dice.getrandbits(64):x}\", __FILE__}};"
    yield f"    int x = a ^ {dice.randrange(1 << 20)};"
    yield "    if (s == 0 || depth(a) > 3)"
    yield f"        return (int)sizeof words + x % {dice.randrange(3, 99)};"
    yield f"    switch (x & {dice.choice([3, 7])}) {{"
    for case in range(3):
        yield f"    case {case}:"
        yield f"        x += {dice.randrange(1000)} + (int)words[{case}][0];"
        yield "        break;"
    yield "    default:"
    if number:
        yield f"        x -= m{module}_f{dice.randrange(number)}(a + 1, s + 1);"
    yield "        x = x < 0 ? -x : x;"
    yield "    }"
    yield "    return x;"
    yield "}"
    yield ""


def write(directory, name, lines):
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    return len(lines)


def generate(directory):
    dice = random.Random(20)
    total = write(directory, "include/common.h", ["#ifndef COMMON_H", "#define COMMON_H", "#include <stdio.h>", "#include <stdlib.h>", "#include <string.h>",
                                                  "static inline int depth(int a) { return a & 7; }", "#endif"])
    for module in range(MODULES):
        lines = ['#include "common.h"', f'#include "m{module}.h"', ""]
        for number in range(FUNCTIONS):
            lines += function(dice, module, number)
        total += write(directory, f"src/m{module}.c", lines)
        total += write(directory, f"include/m{module}.h", [f"int m{module}_f{n}(int a, const char *s);" for n in range(FUNCTIONS)])
    for name, count in (("main.c", MODULES), ("part.c", OF_LIBTOOL)):
        lines = ['#include "common.h"'] + [f'#include "m{m}.h"' for m in range(count)] + ["int main(void)", "{", "    long sum = 0;"]
        lines += [f'    sum += m{m}_f{FUNCTIONS - 1}({m}, "text");' for m in range(count)] + ['    printf("%ld\\n", sum);', "    return 0;", "}"]
        total += write(directory, "src/" + name, lines)
    sources = [f"src/m{m}.c" for m in range(MODULES)]
    write(directory, "Makefile", [
        "OBJECTS = " + " ".join(f"make/m{m}.o" for m in range(MODULES)), "all: make/prog make/libtree.a", "make/%.o: src/%.c | make",
        "\t$(CC) -O1 -g -Iinclude -MMD -c -o $@ $(CURDIR)/$<", "make:", "\tmkdir -p make", "make/libtree.a: $(OBJECTS)", "\tar rcs $@ $^",
        "make/prog: make/main.o make/libtree.a", "\t$(CC) -g -Wl,--build-id -o $@ make/main.o -Lmake -ltree", "-include make/*.d"])
    write(directory, "meson.build", [
        "project('tree', 'c', default_options: ['buildtype=debug', 'warning_level=0'])", "inc = include_directories('include')",
        "lib = shared_library('tree', " + ", ".join(f"'{s}'" for s in sources) + ", include_directories: inc, install: true)",
        "executable('prog', 'src/main.c', include_directories: inc, link_with: lib, install: true)"])
    write(directory, "CMakeLists.txt", [
        "cmake_minimum_required(VERSION 3.18)", "project(tree C CXX)", "include_directories(include)", "add_library(tree STATIC " + " ".join(sources) + ")",
        "add_executable(prog src/main.c)", "target_link_libraries(prog tree)", "add_executable(json src/json.cc)"])
    # A real header of 25,000 lines.
    write(directory, "src/json.cc", ["#include <nlohmann/json.hpp>", "#include <iostream>",
                                     'int main() { std::cout << nlohmann::json::parse(R"({"a": [1, 2, {"b": null}]})").dump(1) << "\\n"; }'])
    write(directory, "configure.ac", ["AC_INIT([tree], [1.0])", "AC_CONFIG_AUX_DIR([aux])", "AM_INIT_AUTOMAKE([foreign subdir-objects])", "AC_PROG_CC", "AM_PROG_AR",
                                      "LT_INIT", "AC_CONFIG_HEADERS([config.h])", "AC_CHECK_HEADERS([unistd.h fcntl.h])", "AC_CONFIG_FILES([Makefile])",
                                      "AC_OUTPUT"])
    write(directory, "Makefile.am", ["AM_CPPFLAGS = -I$(srcdir)/include", "lib_LTLIBRARIES = libpart.la", "libpart_la_SOURCES = " + " ".join(sources[:OF_LIBTOOL]),
                                     "bin_PROGRAMS = part", "part_SOURCES = src/part.c", "part_LDADD = libpart.la"])
    return total


if __name__ == "__main__":
    print(f"{generate(sys.argv[1])} lines of {MODULES * 2 + 3} files")
