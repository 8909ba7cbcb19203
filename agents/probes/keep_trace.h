/* Holds a tracing instance for somebody and takes it away when they are gone. No measuring loop. */
#ifndef HFT_KEEP_TRACE_H
#define HFT_KEEP_TRACE_H

int keep_trace(char **arguments);

#endif
