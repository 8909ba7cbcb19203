#ifndef HFT_SELF_TEST_H
#define HFT_SELF_TEST_H

/* What the project's tests compare with: `self-test buckets | frames | clock | gaps`. Returns the exit code. */
int self_test(char **arguments);

#endif
