/*
 * A channel: how messages get from one thread to another, there and back. One small file each (shm.c, unix.c, pipe.c, futex.c,
 * tcp.c, udp.c); what is sent when, and what becomes a sample, is the same for all of them: traffic.c.
 */
#ifndef HFT_CHANNEL_H
#define HFT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "frames.h"
#include "message.h"

enum side { ASKER, ANSWERER };
enum wait_kind { WAIT_SPIN, WAIT_BLOCK };

struct channel {
  /* In the asker's thread, pinned: both directions. Ends with `unsupported` where this host has no such thing. */
  void (*open)(uint64_t message_bytes, enum wait_kind wait);
  void (*send)(enum side from, const struct letter *letter);
  /* Waits for the next letter. false: none came for a second; only where letters can be lost. */
  bool (*receive)(enum side at, struct letter *letter);
  /* Further members of META, each with a comma before it. May be NULL. */
  void (*describe)(struct text *meta);
  /* Between sending and receiving a letter may be lost. */
  bool loses;
  /* Who answers is a program of its own (requests.h): there is no answerer's thread, and every letter goes there and back. */
  bool answers_itself;
};

#endif
