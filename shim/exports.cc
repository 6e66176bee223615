// The exported wrappers, made from the table. Each has its libc name by asm label, so that libc's
// own declarations (noexcept, nonnull, fortified inlines, LFS redirections) do not meet ours.
#include <limits.h>

#include "shim/calls.h"
#include "shim/init.h"
#include "shim/sockets.h"

using namespace wbshim;

// The optional mode of open(): fetched only when the flags say that it is there.
#define WB_MODE(last)              \
  unsigned mode = 0;               \
  if (takes_mode(last)) {          \
    va_list list;                  \
    va_start(list, last);          \
    mode = va_arg(list, unsigned); \
    va_end(list);                  \
  }

#define WB_LONG(last)                 \
  va_list list;                       \
  va_start(list, last);               \
  long argument = va_arg(list, long); \
  va_end(list)

#define WB_SIX(last)                              \
  long a[6];                                      \
  va_list list;                                   \
  va_start(list, last);                           \
  for (long& each : a) each = va_arg(list, long); \
  va_end(list)

// execl's arguments as a vector on the stack, its terminating null included. The list is walked
// twice: counted, then copied.
#define WB_LIST(first)                                                             \
  size_t count = 1;                                                                \
  va_list list;                                                                    \
  va_start(list, first);                                                           \
  for (const char* each = first; each; each = va_arg(list, const char*)) count++;  \
  va_end(list);                                                                    \
  char** arguments = static_cast<char**>(__builtin_alloca(count * sizeof(char*))); \
  arguments[0] = const_cast<char*>(first);                                         \
  va_start(list, first);                                                           \
  for (size_t i = 1; i < count; i++) arguments[i] = va_arg(list, char*);           \
  va_end(list)

#define WB_LIST_AND_ENVIRONMENT(first)                                       \
  WB_LIST(first);                                                            \
  va_start(list, first);                                                     \
  for (size_t i = 1; i < count; i++) static_cast<void>(va_arg(list, char*)); \
  char* const* environment = va_arg(list, char* const*);                     \
  va_end(list)

#define WB_FN(ret, name, params, ...)                                                \
  extern "C" [[gnu::visibility("default")]] ret wbshim_##name params __asm__(#name); \
  extern "C" ret wbshim_##name params {                                              \
    load();                                                                          \
    return __VA_ARGS__;                                                              \
  }
#define WB_FN_VARIADIC(ret, name, params, ...)                                       \
  extern "C" [[gnu::visibility("default")]] ret wbshim_##name params __asm__(#name); \
  extern "C" ret wbshim_##name params {                                              \
    load();                                                                          \
    __VA_ARGS__                                                                      \
  }
#include "shim/entry_points.def"
