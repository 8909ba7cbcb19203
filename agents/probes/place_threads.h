#ifndef HFT_PLACE_THREADS_H
#define HFT_PLACE_THREADS_H

/* hft-probe place-threads --pid PID --within-ms MS SPEC ... Returns an exit code of failure.h. */
int place_threads(char **arguments);

#endif
