"""One file a format, and what formats share: archives, headers, several files as one."""
