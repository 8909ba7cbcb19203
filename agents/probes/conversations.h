/* Who is measured with a responder: as many at a time as it has CPUs, each with a thread of its own. */
#ifndef HFT_CONVERSATIONS_H
#define HFT_CONVERSATIONS_H

#include "answer.h"
#include "connection.h"

#define MOST_CONVERSATIONS 64

struct conversation {
  bool is_open;
  int connection;
  struct hello hello;
  struct address address; /* of who asks */
  uint64_t begun_ns;      /* CLOCK_MONOTONIC_RAW */
  uint64_t heard;         /* when it was last looked */
  uint64_t heard_ns;
  struct answerer *answerer;
};

struct conversations {
  struct conversation all[MOST_CONVERSATIONS];
  int count; /* as many as CPUs */
  bool may_spin;
  const char *xdp; /* an interface past whose stack it may answer; NULL: none */
  uint64_t idle_ns;
  int done; /* an eventfd: a thread has ended by itself */
};

void conversations_allocate(struct conversations *them, const int *cpus, int count);

/* Greets back and starts, or says why not; the connection is closed then. */
void conversation_begin(struct conversations *them, int connection, const struct hello *hello);

/* Says what was counted when `says_tally`, closes, and writes a line. */
void conversation_end(struct conversation *it, bool says_tally, const char *why);

/* Those that are silent for too long, and those whose thread has ended. */
void conversations_look(struct conversations *them);

/* Somebody asks again or goes: over the connection of one that is measured with datagrams. */
void conversation_hear(struct conversation *it);

#endif
