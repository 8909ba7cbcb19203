/* How the reference process ends when it cannot go on. */
#ifndef HFT_REFERENCE_END_H
#define HFT_REFERENCE_END_H

#include "../attributes.h"

_Noreturn void end_usage(const char *format, ...) PRINTF_LIKE(1, 2);
_Noreturn void end_failed(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
