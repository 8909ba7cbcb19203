/* What goes through a channel: a letter, written out as a message of whole cache lines, every byte of which is written and read. */
#ifndef HFT_MESSAGE_H
#define HFT_MESSAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attributes.h"

#define MOST_MESSAGE_BYTES 4096

struct letter {
  uint64_t number;   /* from 1, one more each */
  uint64_t intended; /* ticks of the sender's clock */
  uint64_t kind;
  uint64_t began;    /* ticks: what started a chain of letters, of which this is one */
  bool is_whole;     /* of one received: every word is as it was sent */
};

struct message {
  _Atomic uint64_t number; /* in shared memory written last: by it the message becomes visible */
  uint64_t intended;
  uint64_t kind;
  uint64_t began;
  uint64_t words[];
};

static ALWAYS_INLINE uint64_t message_words(uint64_t bytes) { return (bytes - offsetof(struct message, words)) / sizeof(uint64_t); }

/* All but the number. */
static ALWAYS_INLINE void message_fill(struct message *message, uint64_t bytes, const struct letter *letter) {
  uint64_t words = message_words(bytes);
  message->intended = letter->intended;
  message->kind = letter->kind;
  message->began = letter->began;
  for (uint64_t i = 0; i < words; i++) message->words[i] = letter->number + i;
}

/* Of a message that is there. */
static ALWAYS_INLINE void message_read(const struct message *message, uint64_t bytes, uint64_t number, struct letter *letter) {
  uint64_t words = message_words(bytes);
  uint64_t difference = 0;
  for (uint64_t i = 0; i < words; i++) difference |= message->words[i] ^ (number + i);
  *letter = (struct letter){.number = number,
                            .intended = message->intended,
                            .kind = message->kind,
                            .began = message->began,
                            .is_whole = difference == 0};
}

#endif
