/*
 * A data server that is started for one run: in a private folder, on one CPU, without anything kept. A keeper of its own, a child of
 * this process, ends it and removes the folder however this process ends: in order, by a failure, a signal, its deadline or SIGKILL.
 * The keeper's own SIGKILL ends the server too and leaves the folder behind, which the next start takes away (server_folder.h).
 */
#ifndef HFT_SERVER_H
#define HFT_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server_place {
  const char *program; /* its path */
  char folder[40];
  char socket[64];     /* in the folder; used when there is no port */
  char settings[64];   /* a file in the folder, which only the server can read */
  uint16_t port;       /* 0: a unix socket */
  char password[33];   /* random */
};

#define MOST_SERVER_ARGUMENTS 24

struct server_command {
  char *arguments[MOST_SERVER_ARGUMENTS];
  char text[512];     /* where arguments can be written */
  char settings[512]; /* what is in the file */
};

struct server_kind {
  /* The first that is installed is taken. */
  const char *const *programs;
  const char *need;
  void (*compose)(struct server_command *command, const struct server_place *place);
};

struct server {
  struct server_place place;
  pid_t keeper;
  int report; /* the keeper says here why the server has ended */
};

/* Before any thread is started. Ends with `unsupported` where no program is installed. */
void server_start(struct server *server, const struct server_kind *kind, int cpu, bool over_tcp, uint64_t deadline_ns);

/* Why it has ended, or NULL while it runs. */
const char *server_why_ended(struct server *server);

/* Returns when it is gone and its folder with it. */
void server_end(struct server *server);

#endif
