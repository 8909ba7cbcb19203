/* Where the pipeline's orders go. */
#ifndef HFT_SUBMISSION_H
#define HFT_SUBMISSION_H

#include <stdint.h>

/* To memory, as to the send queue of a card; to a socket through the kernel as well. */
enum submission_kind { SUBMIT_MEMORY, SUBMIT_SOCKET };

extern const char *const SUBMISSIONS[];

/* In the thread that submits, pinned. */
void submission_open(enum submission_kind kind);

/* Writes an order of 256 bytes and submits it. */
void submission_submit(uint64_t result);

/* Orders that the socket did not take. */
uint64_t submission_refused(void);

#endif
