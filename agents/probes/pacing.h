/* The time between two samples that are meant to come at a rate. */
#ifndef HFT_PACING_H
#define HFT_PACING_H

#include <stdint.h>

#include "attributes.h"

/*
 * What disturbs a host comes at round times: every second, every tick. A sample at every round millisecond meets it at the same point for as long
 * as it is measured, and no interval knows of that (RFC 2330, 11.1.1). An interval that is longer by the golden ratio's part of a
 * thousandth meets it everywhere: no fraction of small numbers is near it.
 */
static ALWAYS_INLINE uint64_t out_of_step(uint64_t interval) { return interval + interval * UINT64_C(618034) / UINT64_C(1000000000); }

#endif
