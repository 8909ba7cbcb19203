/*
 * When packets went by: SO_TIMESTAMPING, by the kernel (CLOCK_REALTIME) and by the card (its own clock), in ns.
 * https://docs.kernel.org/networking/timestamping.html
 */
#ifndef HFT_STAMPS_H
#define HFT_STAMPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "session.h"

/* 0: there is none. */
struct stamps {
  uint64_t ns[STAMP_SOURCES];
};

/* Of what comes in, and of what is sent by stamps_send. false with errno where the kernel cannot. */
bool stamps_enable(int file, bool with_hardware);

/* recv(2), and when it came. */
ssize_t stamps_receive(int file, void *data, size_t bytes, int flags, struct stamps *stamps);

/* send(2), of which the time is to be noted. */
ssize_t stamps_send(int file, const void *data, size_t bytes, bool with_hardware);

/* The next time that was noted of something sent; false: none is there yet. `id`: of UDP how many had been sent so before, of TCP the
 * place of its last byte, both from stamps_enable on. */
bool stamps_next(int file, uint32_t *id, struct stamps *stamps);

/* The clock of the kernel's stamps. */
static ALWAYS_INLINE uint64_t real_clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

#endif
