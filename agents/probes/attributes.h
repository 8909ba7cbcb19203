/* What every file of the probes says to the compiler. */
#ifndef HFT_ATTRIBUTES_H
#define HFT_ATTRIBUTES_H

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define PRINTF_LIKE(text_at, first_at) __attribute__((format(printf, text_at, first_at)))

/* Two lines: Intel's spatial prefetcher fetches them in pairs. */
#define APART 128

#endif
