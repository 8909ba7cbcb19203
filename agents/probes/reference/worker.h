/* A thread of the reference process: it waits for work in its own way, and misbehaves when it is told to. */
#ifndef HFT_REFERENCE_WORKER_H
#define HFT_REFERENCE_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* TASK_COMM_LEN of the kernel. */
#define NAME_BYTES 16

enum way { SPIN, BLOCK, ECHO };
enum act { FAULT, MOVE, POLICY, RENAME };

struct order {
  enum act act;
  long first;  /* FAULT: pages; MOVE: a CPU; POLICY: SCHED_... */
  long second; /* POLICY: its priority or nice value */
  char name[NAME_BYTES];
};

struct worker {
  char name[NAME_BYTES];
  enum way way;
  pid_t tid;
  int wake;         /* eventfd: something waits in `order` */
  int echo;         /* ECHO: a socket whose datagrams go back to their sender */
  atomic_bool waits; /* an order that has not been carried out yet */
  struct order order;
  int result; /* errno of the last order; 0: done */
};

/* "spin", "block", "echo"; false when it is none of them. */
bool way_of(const char *text, enum way *way);

/* Returns when the thread runs and has its name. `echo_at`: the path of its socket, for ECHO. Ends the process where there are no threads. */
void worker_start(struct worker *worker, const char *echo_at);

/* Has the thread do it itself, and waits until it has. 0, or errno. */
int worker_order(struct worker *worker, const struct order *order);

#endif
