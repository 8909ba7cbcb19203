/*
 * Requests to a data server and its replies over one connection: a channel (channel.h) at whose other end is a program of its own,
 * one that was named or one that is started for the run. What is said is a dialect: redis.c, memcached.c.
 */
#ifndef HFT_REQUESTS_H
#define HFT_REQUESTS_H

#include "channel.h"
#include "connection.h"
#include "run.h"
#include "server.h"
#include "traffic.h"

/* What is asked for: a value of its own under a key of its own, which expires soon after the run. */
struct subject {
  char key[40];
  const char *value;
  uint64_t value_bytes;
  uint64_t expires_s;
};

/* Who asks. NULL: no user, no password. */
struct credentials {
  const char *user;
  const char *password;
};

/* Bytes of a request beside the value. */
#define REQUEST_ROOM 256
#define NAME_ROOM 64

struct dialect {
  const struct server_kind *server;
  const char *what;    /* "a Redis server", for messages */
  /* Where a person puts the credentials for a server of theirs: names of environment variables. */
  struct credentials variables;
  /* In every connection first: shows the credentials where there are some, and reads who answers, in at most NAME_ROOM bytes. */
  void (*greet)(int file, const struct address *address, const struct credentials *credentials, char *name);
  /* Makes the key; takes it away. The first ends with `unsupported` where the server refuses, the second answers false. */
  void (*put)(int file, const struct address *address, const struct subject *subject);
  bool (*remove)(int file, const struct subject *subject);
  /* One request and the reply that is expected; return their length. */
  size_t (*write_request)(char *to, const struct subject *subject);
  size_t (*write_reply)(char *to, const struct subject *subject);
  const char *(*part)(void);
};

extern struct requests_terms {
  const char *server;  /* own-unix, own-tcp, or an address */
  uint64_t pipeline;   /* requests in one write */
} requests_terms;

#define MOST_PIPELINE 128

#define REQUESTS_OPTIONS                                                                       \
  TRAFFIC_TERMS, {.name = "server", .text = &requests_terms.server}, {                        \
    .name = "pipeline", .value = &requests_terms.pipeline, .least = 1, .most = MOST_PIPELINE \
  }

int requests_prepare(struct run *run, const struct dialect *dialect);
void requests_conclude(struct run *run, struct text *result);

extern const struct channel requests_channel;

#define REQUESTS_PROBE(its_name, its_prepare, its_options)                                                      \
  {                                                                                                             \
    .name = its_name, .channel = &requests_channel, .options = its_options, .spins = traffic_spins,             \
    .prepare = its_prepare, .allocate = traffic_allocate, .warm_up = traffic_warm_up,                           \
    .measure = traffic_measure, .empty = traffic_empty, .describe = traffic_describe, .conclude = requests_conclude \
  }

#endif
