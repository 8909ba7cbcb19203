/* hft-probe-zmq's one probe. */
#ifndef HFT_ZMQ_PATTERNS_H
#define HFT_ZMQ_PATTERNS_H

#include "../run.h"

extern const struct probe zeromq_probe;

#endif
