/* How a run ends early: one line on stderr and the exit code that the reader knows it by. */
#ifndef HFT_FAILURE_H
#define HFT_FAILURE_H

#include "attributes.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNSUPPORTED = 3 };

/* Safe in every thread and in a signal handler's aftermath: one write(2), then _exit(2). */
_Noreturn void fail(const char *format, ...) PRINTF_LIKE(1, 2);
_Noreturn void usage(const char *format, ...) PRINTF_LIKE(1, 2);

/* Not possible on this host as it is. `need` says what would make it possible; both without quotes or backslashes. */
_Noreturn void unsupported(const char *need, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
