/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Model files that are cut short, flipped or not finite, and disks that fail while writing: the
 * old file survives and nothing is left behind. */
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../src/base/mem.h"
#include "common_modelfile.h"

/* Flip one bit of a file; the same again undoes it. */
static void flip(int fd, size_t bit)
{
	unsigned char c;

	assert_int_equal(pread(fd, &c, 1, (off_t)(bit / 8)), 1);
	c ^= (unsigned char)(1 << bit % 8);
	assert_int_equal(pwrite(fd, &c, 1, (off_t)(bit / 8)), 1);
}

static void test_truncated(void **state)
{
	struct fixture *f = *state;
	size_t size;
	unsigned char *raw;

	common_write_sample(f->path);
	raw = common_slurp(f->path, &size);
	for (size_t n = size; n-- > 0; ) {
		assert_int_equal(truncate(f->path, (off_t)n), 0);
		common_refuses(f->path, ERR_FORMAT, "");
	}
	raw = xrealloc(raw, size + 1);
	raw[size] = 0;
	common_spill(f->path, raw, size + 1);
	common_refuses(f->path, ERR_FORMAT, "bytes follow");
	free(raw);
}

/* After a flipped bit in the header a file is refused, or all that is found in it is
 * what was written. */
static void test_header_flips(void **state)
{
	struct fixture *f = *state;
	size_t size, header, opened = 0;
	int fd;
	unsigned char *raw;

	common_write_sample(f->path);
	raw = common_slurp(f->path, &size);
	header = 8 + raw[0] + 256u * raw[1];
	fd = open(f->path, O_RDWR);
	assert_true(fd >= 0);
	for (size_t bit = 0; bit < 8 * header; bit++) {
		struct modelfile *mf;
		struct err e = ERR_INIT;

		flip(fd, bit);
		if (modelfile_open(&mf, f->path, &e) < 0) {
			assert_int_equal(e.code, ERR_FORMAT);
			flip(fd, bit);
			continue;
		}
		opened++;
		for (size_t i = 0; i < 4; i++) {
			struct modelfile_view v;

			assert_string_equal(modelfile_meta(mf, common_meta[i].key), common_meta[i].value);
			if (modelfile_find(mf, common_sample[i].name, &v, &e) < 0)
				continue;
			if (v.dtype != common_sample[i].dtype || v.rows != common_sample[i].rows ||
			    v.cols != common_sample[i].cols)
				fail_msg("bit %zu changed the shape of %s", bit, v.name);
			if (v.dtype == MODELFILE_I64)
				assert_memory_equal(v.data, common_counts, sizeof(common_counts));
		}
		assert_int_equal(modelfile_verify(mf, &e), 0);
		modelfile_close(mf);
		flip(fd, bit);
	}
	close(fd);
	/* names of tensors and of the checksum itself: a few dozen, not most */
	assert_in_range(opened, 1, 8 * 80);
	free(raw);
}

static void test_data_flips(void **state)
{
	struct fixture *f = *state;
	size_t size, header;
	int fd;
	unsigned char *raw;

	common_write_sample(f->path);
	raw = common_slurp(f->path, &size);
	header = 8 + raw[0] + 256u * raw[1];
	fd = open(f->path, O_RDWR);
	assert_true(fd >= 0);
	for (size_t bit = 8 * header; bit < 8 * size; bit++) {
		struct modelfile *mf;
		struct err e = ERR_INIT;

		flip(fd, bit);
		assert_int_equal(modelfile_open(&mf, f->path, &e), 0);
		assert_int_equal(modelfile_verify(mf, &e), ERR_FORMAT);
		assert_non_null(strstr(e.msg, "checksum"));
		modelfile_close(mf);
		flip(fd, bit);
	}
	close(fd);
	free(raw);
}

static void test_not_finite(void **state)
{
	static const struct {
		unsigned char le[4];
		const char *what;
	} bad[] = { { { 0, 0, 0x80, 0x7f }, "infinity" }, { { 0, 0, 0x80, 0xff }, "infinity" },
	            { { 0, 0, 0xc0, 0x7f }, "NaN" }, { { 0, 0, 0x81, 0xff }, "NaN" } };
	struct fixture *f = *state;
	size_t size, data;
	unsigned char *raw;

	common_write_sample(f->path);
	raw = common_slurp(f->path, &size);
	data = 8 + raw[0] + 256u * raw[1];
	for (size_t i = 0; i < 4; i++) {
		unsigned char *copy = xmemdup(raw, size);
		struct modelfile *mf;
		struct err e = ERR_INIT;
		float out[15];

		memcpy(copy + data + 4 * 13, bad[i].le, 4);     /* row 4, column 1 */
		memcpy(copy + data + 64 + 2 * 2, bad[i].le + 2, 2);
		common_spill(f->path, copy, size);
		free(copy);
		assert_int_equal(modelfile_open(&mf, f->path, &e), 0);
		assert_int_equal(modelfile_read(mf, "decoder.weight", 5, 3, out, &e), ERR_FORMAT);
		assert_non_null(strstr(e.msg, bad[i].what));
		assert_non_null(strstr(e.msg, "\"decoder.weight\""));
		assert_non_null(strstr(e.msg, "row 4, column 1"));
		assert_int_equal(modelfile_read(mf, "decoder.bias", 1, 3, out, &e), ERR_FORMAT);
		assert_non_null(strstr(e.msg, bad[i].what));
		assert_non_null(strstr(e.msg, "row 0, column 2"));
		modelfile_close(mf);
	}
	free(raw);
}

static void cannot_write(const char *path, const struct modelfile_tensor *t, size_t n,
                         const struct modelfile_pair *meta, size_t nmeta, int code,
                         const char *what)
{
	struct err e = ERR_INIT;
	int rc = modelfile_write(path, t, n, meta, nmeta, &e);

	if (rc != code || e.code != code || !strstr(e.msg, what))
		fail_msg("wanted %d \"%s\", got %d \"%s\"", code, what, rc, e.msg);
}

static void test_write_refuses(void **state)
{
	struct fixture *f = *state;
	static const float nan_at_1[2] = { 1, NAN }, large[1] = { 3.4e38f };
	static const struct modelfile_tensor t[] = {
		{ "w", MODELFILE_F32, 1, 2, nan_at_1 }, { "w", MODELFILE_BF16, 2, 1, nan_at_1 },
		{ "w", MODELFILE_BF16, 1, 1, large }, { "w", MODELFILE_F32, 1, 1, large },
		{ "w", MODELFILE_F32, 0, 1, large }, { "w", MODELFILE_F32, SIZE_MAX / 2, 3, large },
		{ "w", MODELFILE_I64, 1, SIZE_MAX / 8, large }, { "a/b", MODELFILE_F32, 1, 1, large },
		{ "", MODELFILE_F32, 1, 1, large }, { "_padding.3", MODELFILE_U8, 1, 1, large },
		{ "__metadata__", MODELFILE_U8, 1, 1, large },
	};
	static const struct modelfile_tensor twice[] = { { "w", MODELFILE_U8, 1, 1, large },
	                                                 { "w", MODELFILE_U8, 1, 1, large } };
	static const struct modelfile_pair broken = { "a", "\xff" }, taken = { "crc64", "" },
		reserved = { "meta_crc64", "" }, pair[] = { { "a", "" }, { "a", "" } };
	size_t size, after;
	unsigned char *before, *now;
	struct err e = ERR_INIT;
	char sub[PATH_ROOM + 20];

	common_write_sample(f->path);
	before = common_slurp(f->path, &size);
	cannot_write(f->path, &t[0], 1, NULL, 0, ERR_RANGE, "row 0, column 1");
	cannot_write(f->path, &t[1], 1, NULL, 0, ERR_RANGE, "row 1, column 0");
	cannot_write(f->path, &t[2], 1, NULL, 0, ERR_RANGE, "not finite");
	for (size_t i = 4; i < 7; i++)
		cannot_write(f->path, &t[i], 1, NULL, 0, ERR_RANGE, "cannot be");
	for (size_t i = 7; i < 11; i++)
		cannot_write(f->path, &t[i], 1, NULL, 0, ERR_USAGE, "cannot be called");
	cannot_write(f->path, twice, 2, NULL, 0, ERR_USAGE, "two tensors");
	cannot_write(f->path, NULL, 0, &broken, 1, ERR_USAGE, "UTF-8");
	cannot_write(f->path, NULL, 0, &taken, 1, ERR_USAGE, "twice");
	cannot_write(f->path, NULL, 0, &reserved, 1, ERR_USAGE, "reserved");
	cannot_write(f->path, NULL, 0, pair, 2, ERR_USAGE, "twice");

	cannot_write("", common_sample, 4, NULL, 0, ERR_USAGE, "empty");
	cannot_write(f->folder, common_sample, 4, NULL, 0, ERR_IO, "a folder");
	cannot_write("/dev/null", common_sample, 4, NULL, 0, ERR_IO, "device");
	snprintf(sub, sizeof(sub), "%s/none/m", f->folder);
	cannot_write(sub, common_sample, 4, NULL, 0, ERR_IO, "create its folder");
	snprintf(sub, sizeof(sub), "%s/m", f->path);
	cannot_write(sub, common_sample, 4, NULL, 0, ERR_IO, "create its folder");
	snprintf(sub, sizeof(sub), "%s/link", f->folder);
	assert_int_equal(symlink("nowhere", sub), 0);
	cannot_write(sub, common_sample, 4, NULL, 0, ERR_IO, "link");
	unlink(sub);

	/* nothing of all this touched the file, nor left anything */
	now = common_slurp(f->path, &after);
	assert_int_equal(after, size);
	assert_memory_equal(now, before, size);
	assert_int_equal(common_files_in(f->folder, false), 1);
	free(before);
	free(now);
	assert_int_equal(modelfile_write(f->path, &t[3], 1, NULL, 0, &e), 0);
}

static void test_replace(void **state)
{
	struct fixture *f = *state;
	char link[PATH_ROOM], stale[PATH_ROOM + 40];
	struct modelfile *old, *new;
	struct err e = ERR_INIT;
	struct stat st;
	float out[15];

	common_write_sample(f->path);
	chmod(f->path, 0640);
	assert_int_equal(modelfile_open(&old, f->path, &e), 0);
	snprintf(link, sizeof(link), "%s/link", f->folder);
	assert_int_equal(symlink("m.safetensors", link), 0);
	/* left by a killed process that had our number; a trap, if it were followed */
	snprintf(stale, sizeof(stale), "%s.tmp.%ld", f->path, (long)getpid());
	assert_int_equal(symlink(link, stale), 0);

	assert_int_equal(modelfile_write(link, &common_sample[3], 1, NULL, 0, &e), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(common_files_in(f->folder, false), 2);
	assert_int_equal(modelfile_open(&new, f->path, &e), 0);
	assert_int_equal(modelfile_count(new), 1);
	/* the open map still shows the old one */
	assert_int_equal(modelfile_verify(old, &e), 0);
	assert_int_equal(modelfile_read(old, "decoder.weight", 5, 3, out, &e), 0);
	modelfile_close(old);
	modelfile_close(new);
}

/* Runs in a child, whose limits and mounts are its own. Exit code 0: as it should be. */
static int in_child(int (*body)(const struct fixture *), const struct fixture *f)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(body(f));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

enum { SKIPPED = 77, LARGE = 100000 };

/* Overwrites the sample at path by something too large; the sample must survive. */
static int write_too_large(const char *path, const char *folder, const char *what)
{
	struct modelfile_tensor t = { "large", MODELFILE_F32, 1, LARGE, xcalloc(LARGE, 4) };
	struct err e = ERR_INIT;
	struct modelfile *mf;

	if (modelfile_write(path, common_sample, 4, common_meta, 4, &e) < 0)
		return 2;
	if (modelfile_write(path, &t, 1, NULL, 0, &e) != ERR_IO)
		return 3;
	if (!strstr(e.msg, what) || !strstr(e.msg, "free some space") || !strstr(e.msg, path))
		return 4;
	if (common_files_in(folder, false) != 1)
		return 5;
	if (modelfile_open(&mf, path, &e) < 0 || modelfile_verify(mf, &e) < 0 ||
	    modelfile_count(mf) != 4)
		return 6;
	return 0;
}

static int limited_size(const struct fixture *f)
{
	struct rlimit limit = { 65536, 65536 };

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return SKIPPED;
	return write_too_large(f->path, f->folder, "File too large");
}

static int full_disk(const struct fixture *f)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", f->folder, "tmpfs", 0, "size=128k") < 0)
		return SKIPPED;
	return write_too_large(f->path, f->folder, "No space left");
}

static int no_permission(const struct fixture *f)
{
	struct err e = ERR_INIT;

	chmod(f->folder, 0555);
	if (geteuid() == 0 && setuid(65534) < 0)
		return SKIPPED;
	if (modelfile_write(f->path, common_sample, 4, NULL, 0, &e) != ERR_IO)
		return 2;
	return strstr(e.msg, "you may write to") ? 0 : 3;
}

static void test_size_limit(void **state)
{
	int rc = in_child(limited_size, *state);

	if (rc == SKIPPED)
		skip();
	assert_int_equal(rc, 0);
}

static void test_full_disk(void **state)
{
	int rc = in_child(full_disk, *state);

	if (rc == SKIPPED)      /* only root may mount */
		skip();
	assert_int_equal(rc, 0);
}

static void test_no_permission(void **state)
{
	struct fixture *f = *state;
	int rc = in_child(no_permission, f);

	chmod(f->folder, 0700);
	if (rc == SKIPPED)
		skip();
	assert_int_equal(rc, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, common_setup, common_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_truncated), TEST(test_header_flips), TEST(test_data_flips),
		TEST(test_not_finite), TEST(test_write_refuses), TEST(test_replace),
		TEST(test_size_limit), TEST(test_full_disk), TEST(test_no_permission),
	};

	return cmocka_run_group_tests_name("modelfile_faults", tests, NULL, NULL);
}
