#ifndef HFT_JITTER_H
#define HFT_JITTER_H

/* What one turn of jitter's loop takes at best, on the CPU that calls. About 1 ms. */
double jitter_loop_ns(void);

#endif
