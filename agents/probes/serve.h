/* The responder of `network`: hft-probe serve. */
#ifndef HFT_SERVE_H
#define HFT_SERVE_H

/* Until SIGINT or SIGTERM, or the parent's death. JSON lines on stdout: where it listens, and each conversation when it ends. */
int serve(char **arguments);

#endif
