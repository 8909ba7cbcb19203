/** The code of a HostError for what could be read, and was not: the kernel would interrupt a CPU to answer. */
export const NOT_READ = 'NOT_READ';
