/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzz target over the files of its corpus (CORPUS), so that `make check` does without libFuzzer. */
#include <dirent.h>
#include <stdint.h>

#include "libvnet/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_AUTO(DIR *, closedir)

int main(void)
{
	AUTO(closedir) DIR *dir = opendir(CORPUS);
	static uint8_t data[1 << 20];
	unsigned n = 0;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char file[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof file, "%s/%s", CORPUS, entry->d_name);
		AUTO(fclose) FILE *in = fopen(file, "re");
		if (!in) {
			perror(file);
			return EXIT_FAILURE;
		}
		LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, in));
		n++;
	}
	printf("%u files of %s\n", n, CORPUS);
	return n ? EXIT_SUCCESS : EXIT_FAILURE;
}
