# core/base as an archive, in the current directory, the way a user's project would be built.
# SOURCE: this repository.  GENERATED: its build directory, for the generated headers.
sources := $(wildcard $(SOURCE)/core/base/*.cc)
objects := $(patsubst $(SOURCE)/core/base/%.cc,%.o,$(sources))
libbase.a: $(objects)
	$(AR) rcs $@ $^
%.o: $(SOURCE)/core/base/%.cc
	$(CXX) -std=c++20 -O2 -g -I$(SOURCE) -I$(GENERATED) -I$(GENERATED)/core/scripts -MMD -c -o $@ $<
-include $(wildcard *.d)
