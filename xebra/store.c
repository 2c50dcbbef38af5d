/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

enum { APPLICATION_ID = 0x58656272 /* "Xebr" */, STORE_VERSION = 1 };

struct store {
	sqlite3 *db;
	char *file;
};

DEFINE_AUTO(sqlite3_stmt *, sqlite3_finalize)

static int refuse(const struct store *store, struct problem *problem)
{
	int code = sqlite3_errcode(store->db);
	int r = code == SQLITE_BUSY || code == SQLITE_LOCKED ? -EBUSY :
		code == SQLITE_FULL				      ? -ENOSPC :
		code == SQLITE_NOTADB || code == SQLITE_CORRUPT   ? -EINVAL :
								    -EIO;

	return problem_set(problem, r, "store %s: %s%s", store->file, sqlite3_errmsg(store->db),
			   r == -EBUSY	? "; another xebrad uses it" :
			   r == -ENOSPC ? "; make room on the disk" :
			   r == -EINVAL ? "; move it away or restore it from a backup" :
					  "");
}

static int run(struct store *store, const char *sql, struct problem *problem)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : refuse(store, problem);
}

static int number(struct store *store, const char *sql, int *value_out, struct problem *problem)
{
	AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
		return refuse(store, problem);
	*value_out = sqlite3_column_int(stmt, 0);
	return 0;
}

static int prepare(struct store *store, struct problem *problem)
{
	static const char schema[] = "BEGIN EXCLUSIVE;"
				     "PRAGMA application_id = 1483039346;"
				     "PRAGMA user_version = 1;"
				     "CREATE TABLE IF NOT EXISTS object (kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,"
				     " PRIMARY KEY (kind, name)) WITHOUT ROWID;"
				     "COMMIT";
	int id = 0, version = 0;

	_Static_assert(APPLICATION_ID == 1483039346, "the number in the schema");
	int r = run(store, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", problem);
	if (r == 0)
		r = number(store, "PRAGMA application_id", &id, problem);
	if (r == 0)
		r = number(store, "PRAGMA user_version", &version, problem);
	if (r < 0)
		return r;
	if ((id && id != APPLICATION_ID) || version > STORE_VERSION)
		return problem_set(problem, -EINVAL, "store %s: %s; move it away", store->file,
				   id != APPLICATION_ID ? "is not a store of xebrad" : "was written by a newer xebrad");
	return run(store, schema, problem);
}

int store_open(const char *file, struct store **store_out, struct problem *problem)
{
	AUTO(store_close) struct store *store = calloc(1, sizeof *store);

	if (!store || !(store->file = strdup(file)))
		return problem_set(problem, -ENOMEM, "store %s: no memory", file);
	mode_t old = umask(077);
	int code = sqlite3_open_v2(file, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	int r = code == SQLITE_OK ? prepare(store, problem) : refuse(store, problem);
	umask(old);
	if (r < 0)
		return r;
	*store_out = take(store);
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	sqlite3_close(store->db);
	free(store->file);
	free(store);
}

static int change(struct store *store, const char *sql, const char *kind, const char *name, const char *body,
		  struct problem *problem)
{
	AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 1, kind, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC) != SQLITE_OK ||
	    (body && sqlite3_bind_text(stmt, 3, body, -1, SQLITE_STATIC) != SQLITE_OK) ||
	    sqlite3_step(stmt) != SQLITE_DONE)
		return refuse(store, problem);
	return 0;
}

int store_put(struct store *store, const char *kind, const char *name, const json_t *object, struct problem *problem)
{
	AUTO(free) char *body = json_dumps(object, JSON_COMPACT);

	if (!body)
		return problem_set(problem, -ENOMEM, "store %s: no memory", store->file);
	return change(store, "INSERT OR REPLACE INTO object VALUES (?, ?, ?)", kind, name, body, problem);
}

int store_remove(struct store *store, const char *kind, const char *name, struct problem *problem)
{
	return change(store, "DELETE FROM object WHERE kind = ? AND name = ?", kind, name, NULL, problem);
}

int store_all(struct store *store, const char *kind, json_t **objects_out, struct problem *problem)
{
	AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	AUTO(json_decref) json_t *objects = json_object();
	int code;

	if (sqlite3_prepare_v2(store->db, "SELECT name, body FROM object WHERE kind = ? ORDER BY name", -1, &stmt, NULL) !=
		    SQLITE_OK ||
	    sqlite3_bind_text(stmt, 1, kind, -1, SQLITE_STATIC) != SQLITE_OK)
		return refuse(store, problem);
	while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		json_t *object = json_loads((const char *)sqlite3_column_text(stmt, 1), 0, NULL);
		if (!object)
			return problem_set(problem, -EINVAL, "store %s: %s %s is damaged; restore it from a backup", store->file,
					   kind, name);
		json_object_set_new(objects, name, object);
	}
	if (code != SQLITE_DONE)
		return refuse(store, problem);
	*objects_out = take(objects);
	return 0;
}
