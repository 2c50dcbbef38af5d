/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/netns-record.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

DEFINE_AUTO(DIR *, closedir)

enum { OPEN_DIRS_MAX = 16 };

static const char *const asked_names[] = { [ASKED_NOTHING] = "nothing", [ASKED_POWEROFF] = "poweroff",
					   [ASKED_REBOOT] = "reboot" };

/* Replaces RUN_DIR/domains/`name`. The one writer is this process, so a fixed name for the draft will do. */
static int replace_file(const char *run_dir, const char *name, const char *text)
{
	char path[PATH_MAX], draft[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/domains/%s", run_dir, name) >= (int)sizeof path ||
	    snprintf(draft, sizeof draft, "%s/domains/%s.new", run_dir, name) >= (int)sizeof draft)
		return -ENAMETOOLONG;
	AUTO(close) int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text, strlen(text));
	if (n != (ssize_t)strlen(text))
		return n < 0 ? -errno : -ENOSPC;
	return rename(draft, path) < 0 ? -errno : 0;
}

static int make_dir(const char *run_dir, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/domains%s%s", run_dir, name ? "/" : "", name ? name : "") >= (int)sizeof path)
		return -ENAMETOOLONG;
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* The greatest number of a router that has a directory; guards against a lost counter. */
static int greatest(const char *run_dir, unsigned *id_out)
{
	AUTO(free) unsigned *ids = NULL;
	size_t n;
	int r = netns_record_list(run_dir, &ids, &n);

	*id_out = r == 0 && n ? ids[n - 1] : 0;
	return r;
}

int netns_record_number(const char *run_dir, unsigned *id_out)
{
	char path[PATH_MAX], text[16];
	unsigned last = 0, used;

	int r = make_dir(run_dir, NULL);
	if (r == 0)
		r = greatest(run_dir, &used);
	if (r < 0)
		return r;
	if (snprintf(path, sizeof path, "%s/domains/last-id", run_dir) >= (int)sizeof path)
		return -ENAMETOOLONG;
	AUTO(fclose) FILE *in = fopen(path, "re");
	if (in && fscanf(in, "%u", &last) != 1)
		last = 0;
	*id_out = (last > used ? last : used) + 1;
	snprintf(text, sizeof text, "%u", *id_out);
	return replace_file(run_dir, "last-id", text);
}

int netns_record_write(const char *run_dir, const struct netns_record *record)
{
	char name[32];

	snprintf(name, sizeof name, "%u", record->id);
	AUTO(json_decref) json_t *json = json_pack("{s:s,s:s,s:i,s:I,s:i,s:b,s:s}", "uuid", record->uuid, "name",
						   record->name, "pid", (int)record->pid1.pid, "start",
						   (json_int_t)record->pid1.start, "vcpus", (int)record->vcpus, "ready",
						   (int)record->ready, "asked", asked_names[record->asked]);
	AUTO(free) char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	if (!text)
		return -ENOMEM;
	int r = make_dir(run_dir, NULL);
	if (r == 0)
		r = make_dir(run_dir, name);
	snprintf(name, sizeof name, "%u/record", record->id);
	return r < 0 ? r : replace_file(run_dir, name, text);
}

static int find_asked(const char *name, enum asked_end *asked_out)
{
	for (size_t i = 0; i < N_ELEMENTS(asked_names); i++)
		if (strcmp(asked_names[i], name) == 0) {
			*asked_out = i;
			return 0;
		}
	return -EINVAL;
}

int netns_record_read(const char *run_dir, unsigned id, struct netns_record *record_out)
{
	struct netns_record record = { .id = id };
	const char *uuid, *name, *asked;
	char path[PATH_MAX];
	json_int_t start;
	int pid, vcpus, ready;

	if (snprintf(path, sizeof path, "%s/domains/%u/record", run_dir, id) >= (int)sizeof path)
		return -ENAMETOOLONG;
	AUTO(fclose) FILE *in = fopen(path, "re");
	if (!in)
		return -errno;
	AUTO(json_decref) json_t *json = json_loadf(in, 0, NULL);
	if (!json || json_unpack(json, "{s:s,s:s,s:i,s:I,s:i,s:b,s:s}", "uuid", &uuid, "name", &name, "pid", &pid, "start",
				 &start, "vcpus", &vcpus, "ready", &ready, "asked", &asked) < 0)
		return -EINVAL;
	if (strlen(uuid) >= sizeof record.uuid || strlen(name) >= sizeof record.name)
		return -EINVAL;
	strcpy(record.uuid, uuid);
	strcpy(record.name, name);
	record.pid1 = (struct pid1){ .pid = pid, .start = start };
	record.vcpus = vcpus;
	record.ready = ready;
	if (find_asked(asked, &record.asked) < 0)
		return -EINVAL;
	*record_out = record;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path) < 0 && errno != ENOENT ? -errno : 0;
}

int netns_record_remove(const char *run_dir, unsigned id)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/domains/%u", run_dir, id) >= (int)sizeof path)
		return -ENAMETOOLONG;
	int r = nftw(path, remove_one, OPEN_DIRS_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (r == -1)
		r = -errno;
	return r == -ENOENT ? 0 : r;
}

static int compare_ids(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

int netns_record_list(const char *run_dir, unsigned **ids_out, size_t *n_out)
{
	AUTO(free) unsigned *ids = NULL;
	size_t n = 0, room = 0;
	char path[PATH_MAX];

	*n_out = 0;
	*ids_out = NULL;
	if (snprintf(path, sizeof path, "%s/domains", run_dir) >= (int)sizeof path)
		return -ENAMETOOLONG;
	AUTO(closedir) DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *entry; (entry = readdir(dir));) {
		char *end;
		unsigned long id = strtoul(entry->d_name, &end, 10);
		if (!isdigit((unsigned char)entry->d_name[0]) || *end || id == 0 || id > UINT_MAX)
			continue;
		if (n == room) {
			unsigned *more = realloc(ids, (room = 2 * room + 8) * sizeof *more);
			if (!more)
				return -ENOMEM;
			ids = more;
		}
		ids[n++] = id;
	}
	if (n)
		qsort(ids, n, sizeof *ids, compare_ids);
	*ids_out = take(ids);
	*n_out = n;
	return 0;
}
