/* The responder, as a probe sees it: found, greeted, watched while it is measured, and asked at the end what it counted. */
#ifndef HFT_PEER_H
#define HFT_PEER_H

#include "connection.h"
#include "session.h"

struct peer_terms {
  const char *server; /* `10.0.0.7:17707`, `[::1]:17707` */
  enum transport transport;
  uint64_t message_bytes;
  uint64_t wait;
  bool wants_xdp;
};

struct peer {
  struct address address;
  int connection;     /* TCP: of greetings, of the end, and of the messages where that is the transport */
  int messages;       /* what the messages go through; the same as `connection` for TCP */
  struct welcome welcome;
  struct end_facts here;
  bool has_same_clock; /* both ends are on one kernel */
  bool is_stamping;    /* the kernel here notes when packets go by */
  uint32_t bytes_sent; /* over `connection` since then */
};

/* Ends with `unsupported`: nobody is there, nobody answers, what answers is no responder, is another version, or has no room. */
void peer_greet(struct peer *peer, const struct peer_terms *terms);

/* Ends with `fail` when the responder is gone. Reads nothing. */
void peer_watch(const struct peer *peer);

/* Ends with `fail`, because of errno. */
_Noreturn void peer_fail(const struct peer *peer, const char *what);

/* Says that this is the end; what the responder counted, or false: it does not say. */
bool peer_part(struct peer *peer, size_t message_bytes, struct tally *tally);

#endif
