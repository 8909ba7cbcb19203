#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_LINE 512

static _Noreturn void end(int code, const char *line) {
  ssize_t ignored = write(STDERR_FILENO, line, strlen(line));
  (void)ignored;
  _exit(code);
}

static _Noreturn void say(int code, const char *format, va_list values) {
  char text[LONGEST_LINE];
  char line[LONGEST_LINE + 16];
  vsnprintf(text, sizeof text, format, values);
  snprintf(line, sizeof line, "hft-probe: %s\n", text);
  end(code, line);
}

_Noreturn void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  say(EXIT_FAILED, format, values);
}

_Noreturn void usage(const char *format, ...) {
  va_list values;
  va_start(values, format);
  say(EXIT_USAGE, format, values);
}

_Noreturn void unsupported(const char *need, const char *format, ...) {
  char reason[LONGEST_LINE];
  char line[2 * LONGEST_LINE + 64];
  va_list values;
  va_start(values, format);
  vsnprintf(reason, sizeof reason, format, values);
  snprintf(line, sizeof line, "{\"unsupported\":\"%s\",\"need\":\"%s\"}\n", reason, need);
  end(EXIT_UNSUPPORTED, line);
}
