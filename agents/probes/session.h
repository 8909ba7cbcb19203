/*
 * The conversation of a probe over a network (network.c) with the responder at the other end (serve.c). It begins over TCP: a hello
 * and a welcome of the same size, which shows that the address of who asks is its own. Then messages, over that connection or as
 * datagrams between two ports and with two random tokens that only these two know. A reply is as long as its request. At the end,
 * again over the connection, what the responder counted. Little endian, as the machines have it.
 */
#ifndef HFT_SESSION_H
#define HFT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "attributes.h"

/* `hft-rtt` and a zero. The members up to `version` stay where they are in every version. */
#define SESSION_MAGIC UINT64_C(0x007474722d746668)
#define SESSION_VERSION 1
#define GREETING_BYTES 512
#define LEAST_MESSAGE 64
#define MOST_SESSION_MESSAGE 4096

enum transport { OVER_UDP, OVER_TCP };
extern const char *const TRANSPORTS[];

/* Whether the kernel has, and whether the card has, noted when a packet went by. */
enum stamp_source { BY_KERNEL, BY_CARD, STAMP_SOURCES };

/* What an end of the conversation says of its clock and its stamps. */
struct end_facts {
  uint8_t boot[16];       /* of its kernel: who has the same has the same clock */
  char program[16];       /* the version of hft */
  uint32_t has_hardware;
  uint32_t is_disciplined; /* clock_error_ns is known */
  uint64_t clock_error_ns; /* at most this far from UTC, by who disciplines the clock */
  char card[16];
  char why_no_hardware[160];
  char clock[96];          /* who says so, or why it is not known */
};

struct hello {
  uint64_t magic;
  uint32_t version;
  uint32_t transport;
  uint32_t message_bytes;
  uint32_t wait;
  uint32_t udp_port; /* of who asks */
  uint32_t wants_xdp;
  struct end_facts facts;
  uint8_t rest[GREETING_BYTES - 32 - sizeof(struct end_facts)];
};

enum refusal { NOT_REFUSED, REFUSED_VERSION, REFUSED_BUSY, REFUSED_TERMS, REFUSED_FAILURE };

struct welcome {
  uint64_t magic;
  uint32_t version;
  uint32_t refusal;
  uint64_t request_token;
  uint64_t reply_token;
  uint32_t wait; /* what it does, which may be less than what was asked for */
  int32_t cpu;
  struct end_facts facts;
  char why[96];  /* of a refusal */
  uint32_t has_xdp; /* it answers past its kernel's stack */
  uint8_t rest[GREETING_BYTES - 44 - sizeof(struct end_facts) - 96];
};

/* What the responder counted, sent when it has heard the end. */
struct tally {
  uint64_t magic;
  uint64_t received;
  uint64_t replied;
  uint64_t repeated;
  uint64_t reordered;
  uint64_t damaged;
  uint64_t overflowed; /* datagrams that came while the buffer of the socket was full */
  uint64_t strangers; /* datagrams to this conversation's ports without its token */
};

/* The request to end, over the connection, when datagrams were what was measured. */
struct farewell {
  uint64_t magic;
  uint64_t zero;
};

enum message_flags { IS_STAMPED = 1, IS_LAST = 2 };

/* A request, or the reply to it: the same bytes, but for these members. */
struct datagram {
  uint64_t token;
  uint64_t number;
  uint32_t flags;
  uint32_t check;
  uint64_t received_ns[STAMP_SOURCES]; /* reply: when the request came, by the responder's clocks; 0: not known */
  uint64_t earlier;                    /* reply: the number of an earlier reply */
  uint64_t sent_ns[STAMP_SOURCES];     /* reply: when that one was sent, which is known only afterwards */
};

_Static_assert(sizeof(struct hello) == GREETING_BYTES && sizeof(struct welcome) == GREETING_BYTES, "greetings are equally long");
_Static_assert(sizeof(struct datagram) == LEAST_MESSAGE, "a datagram is as long as the shortest message");

/* Every word counts. By memcpy, since members of other types were written where words are read. */
static ALWAYS_INLINE uint32_t datagram_sum(const struct datagram *datagram, size_t bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes; i += sizeof sum) {
    uint64_t word;
    memcpy(&word, (const char *)datagram + i, sizeof word);
    sum += word;
  }
  /* The third word holds the sum itself, in its upper half. */
  sum -= (uint64_t)datagram->check << 32;
  return (uint32_t)(sum ^ (sum >> 32));
}

static ALWAYS_INLINE void datagram_seal(struct datagram *datagram, size_t bytes) {
  datagram->check = 0;
  datagram->check = datagram_sum(datagram, bytes);
}

static ALWAYS_INLINE bool datagram_is_whole(const struct datagram *datagram, size_t bytes) {
  return datagram->check == datagram_sum(datagram, bytes);
}

/* Of this host, and of the card that has the address of this socket. */
void session_describe_end(struct end_facts *facts, int file);

/* A socket of datagrams waits for a thread that gets no CPU as long as the kernel allows (net.core.rmem_max). */
void session_widen(int datagrams);
/* How many came while its buffer was full. */
uint64_t session_overflowed(int datagrams);

/* Text of a stranger's greeting as it may be shown: printable, ended, without what JSON would have to escape. */
void session_clean(char *text, size_t room);

#endif
