#include "end.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *format, va_list values) {
  fputs("hft-reference: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
}

_Noreturn void end_usage(const char *format, ...) {
  va_list values;
  va_start(values, format);
  say(format, values);
  exit(2);
}

_Noreturn void end_failed(const char *format, ...) {
  va_list values;
  va_start(values, format);
  say(format, values);
  exit(1);
}
