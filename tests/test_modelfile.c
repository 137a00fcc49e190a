/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Model files: round trips, the exact bytes, files of other writers and of enemies. Damage and
 * failing disks are in test_modelfile_faults.c. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "../src/base/str.h"
#include "common_modelfile.h"

enum { SEED = 20240611 };

/* A file with the given header text and `data` zero bytes. */
static void spill_header(const char *path, const char *json, size_t data)
{
	uint64_t length = strlen(json);
	unsigned char *all = xcalloc(1, 8 + length + data + 1);

	memcpy(all, &length, 8);
	memcpy(all + 8, json, length);
	common_spill(path, all, 8 + length + data);
	free(all);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct modelfile *mf;
	struct modelfile_view v;
	struct err e = ERR_INIT;
	float out[15];
	size_t size;
	unsigned char *raw;

	common_write_sample(f->path);
	assert_int_equal(common_files_in(f->folder, false), 1);
	assert_int_equal(modelfile_open(&mf, f->path, &e), 0);
	assert_int_equal(modelfile_verify(mf, &e), 0);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(modelfile_meta(mf, common_meta[i].key), common_meta[i].value);
	assert_null(modelfile_meta(mf, "scores"));
	assert_int_equal(modelfile_count(mf), 4);
	for (size_t i = 0; i < 4; i++) {
		modelfile_at(mf, i, &v);
		assert_string_equal(v.name, common_sample[i].name);
		assert_int_equal(v.dtype, common_sample[i].dtype);
		assert_int_equal(v.rows, common_sample[i].rows);
		assert_int_equal(v.cols, common_sample[i].cols);
		assert_int_equal((uintptr_t)v.data % 64, 0);
	}
	assert_int_equal(v.bytes, 9);
	assert_memory_equal(v.data, common_bytes9, 9);
	modelfile_at(mf, 2, &v);
	assert_memory_equal(v.data, common_counts, sizeof(common_counts));

	assert_int_equal(modelfile_read(mf, "decoder.weight", 5, 3, out, &e), 0);
	assert_memory_equal(out, common_weights, sizeof(common_weights));
	/* 0.1 rounds up, 1 + 1/256 is a tie and goes to the even 1, -3e38 rounds to its neighbour */
	assert_int_equal(modelfile_read(mf, "decoder.bias", 1, 3, out, &e), 0);
	assert_true(out[0] == 0.10009765625f);
	assert_true(out[1] == 1.0f);
	assert_true(fabsf(out[2] / -3e38f - 1) < 1.0f / 256);

	assert_int_equal(modelfile_find(mf, "_padding.1", &v, &e), ERR_NOTFOUND);
	assert_int_equal(modelfile_find(mf, "nothing", &v, &e), ERR_NOTFOUND);
	assert_non_null(strstr(e.msg, "m.safetensors"));
	assert_non_null(strstr(e.msg, "nothing"));
	assert_int_equal(modelfile_read(mf, "decoder.weight", 3, 5, out, &e), ERR_FORMAT);
	assert_non_null(strstr(e.msg, "5 x 3"));
	assert_int_equal(modelfile_read(mf, "train.counts", 4, 2, out, &e), ERR_FORMAT);
	assert_non_null(strstr(e.msg, "I64"));
	modelfile_close(mf);
	modelfile_close(NULL);

	/* the file itself: where data start, and that our checksum is CRC-64/XZ */
	raw = common_slurp(f->path, &size);
	assert_int_equal((8 + raw[0] + 256 * raw[1]) % 64, 0);
	assert_int_equal(size, 8u + raw[0] + 256u * raw[1] + 64 + 64 + 64 + 9);
	free(raw);
	assert_int_equal(modelfile_write(f->path, &common_sample[3], 1, NULL, 0, &e), 0);
	assert_int_equal(modelfile_open(&mf, f->path, &e), 0);
	assert_string_equal(modelfile_meta(mf, "crc64"), "995dc9bbdf1939fa");
	modelfile_close(mf);
}

/* The exact header, because other programs read it; its sums were computed elsewhere. */
static void test_header_text(void **state)
{
	static const char want[] =
		"{\"__metadata__\":{\"b\":\"2\",\"a\":\"1\",\"crc64\":\"2df8dfc75c450810\","
		"\"meta_crc64\":\"f95c08ea1082d19f\"},"
		"\"x\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]},"
		"\"_padding.1\":{\"dtype\":\"U8\",\"shape\":[55],\"data_offsets\":[9,64]},"
		"\"y\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[64,68]}}";
	static const float y[2] = { 1, -2 };
	struct fixture *f = *state;
	const struct modelfile_tensor t[] = {
		{ "x", MODELFILE_U8, 1, 9, common_bytes9 }, { "y", MODELFILE_BF16, 2, 1, y },
	};
	const struct modelfile_pair meta[] = { { "b", "2" }, { "a", "1" } };
	struct err e = ERR_INIT;
	size_t size, length;
	unsigned char *raw;
	char *start;

	assert_int_equal(modelfile_write(f->path, t, 2, meta, 2, &e), 0);
	raw = common_slurp(f->path, &size);
	length = raw[0] + 256u * raw[1];
	assert_int_equal(size, 8 + length + 68);
	assert_memory_equal(raw + 8 + length + 64, "\x80\x3f\x00\xc0", 4);
	raw[8 + length] = '\0';
	start = (char *)raw + 8;
	for (size_t i = length; i > 0 && start[i - 1] == ' '; i--)
		start[i - 1] = '\0';
	assert_string_equal(start, want);
	free(raw);
}

static void test_empty_and_many(void **state)
{
	struct fixture *f = *state;
	struct modelfile_tensor t[300];
	char names[300][16];
	float x[300];
	struct modelfile *mf;
	struct err e = ERR_INIT;

	assert_int_equal(modelfile_write(f->path, NULL, 0, common_meta, 4, &e), 0);
	assert_int_equal(modelfile_open(&mf, f->path, &e), 0);
	assert_int_equal(modelfile_count(mf), 0);
	assert_int_equal(modelfile_verify(mf, &e), 0);
	assert_string_equal(modelfile_meta(mf, "format"), "answerback-model-1");
	modelfile_close(mf);

	for (size_t i = 0; i < 300; i++) {
		snprintf(names[i], sizeof(names[i]), "t%zu", 299 - i);
		x[i] = (float)i;
		t[i] = (struct modelfile_tensor){ names[i], i % 2 ? MODELFILE_F32 : MODELFILE_BF16, 1,
		                                  i + 1, x };
		if (i > 0 && i % 7 == 0)
			t[i].rows = 2, t[i].cols = i / 2;
	}
	assert_int_equal(modelfile_write(f->path, t, 300, NULL, 0, &e), 0);
	assert_int_equal(modelfile_open(&mf, f->path, &e), 0);
	assert_int_equal(modelfile_verify(mf, &e), 0);
	assert_int_equal(modelfile_count(mf), 300);
	for (size_t i = 0; i < 300; i++) {
		struct modelfile_view v;
		float out[300];

		modelfile_at(mf, i, &v);
		assert_string_equal(v.name, names[i]);
		assert_int_equal((uintptr_t)v.data % 64, 0);
		assert_int_equal(modelfile_read(mf, v.name, t[i].rows, t[i].cols, out, &e), 0);
		for (size_t j = 0; j < t[i].rows * t[i].cols; j++)
			assert_true(out[j] == x[j] || (t[i].dtype == MODELFILE_BF16 && x[j] > 256));
	}
	modelfile_close(mf);
}

/* bf16 longer than one chunk, against rounding done in double */
static void test_bf16(void **state)
{
	enum { N = 20011 };
	struct fixture *f = *state;
	float *x = xcalloc(N, sizeof(*x)), *y = xcalloc(N, sizeof(*y));
	struct modelfile_tensor t = { "w", MODELFILE_BF16, 1, N, x };
	struct modelfile *mf;
	struct err e = ERR_INIT;
	struct rng r;

	rng_seed(&r, SEED);
	for (size_t i = 0; i < N; i++)
		x[i] = (float)(rng_normal(&r) * exp(10 * rng_normal(&r)));
	assert_int_equal(modelfile_write(f->path, &t, 1, NULL, 0, &e), 0);
	assert_int_equal(modelfile_open(&mf, f->path, &e), 0);
	assert_int_equal(modelfile_read(mf, "w", 1, N, y, &e), 0);
	for (size_t i = 0; i < N; i++) {
		int exponent;
		double m = frexp(x[i], &exponent);

		if (y[i] != (float)ldexp(nearbyint(ldexp(m, 8)), exponent - 8))
			fail_msg("seed %d: element %zu: %a became %a", SEED, i, x[i], y[i]);
	}
	modelfile_close(mf);
	free(x);
	free(y);
}

/* What other writers make: unaligned, unordered, no metadata, scalars, white space. */
static void test_foreign(void **state)
{
	struct fixture *f = *state;
	static const float values[3] = { 1.5f, -2.5f, 3.5f };
	static const char json[] = " { \"b\" : {\"shape\":[2],\"data_offsets\":[4,12],\"dtype\":\"F32\"},\n"
		"\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]} }\t ";
	struct modelfile *mf;
	struct modelfile_view v;
	struct err e = ERR_INIT;
	unsigned char raw[256];
	uint64_t length = sizeof(json) - 2;     /* without the first space */
	float out[2];

	memcpy(raw, &length, 8);
	memcpy(raw + 8, json + 1, length);
	memcpy(raw + 8 + length, values, sizeof(values));
	common_spill(f->path, raw, 8 + length + sizeof(values));
	assert_int_equal(modelfile_open(&mf, f->path, &e), 0);
	assert_null(modelfile_meta(mf, "format"));
	modelfile_at(mf, 0, &v);
	assert_string_equal(v.name, "a");
	assert_int_equal(v.rows * v.cols, 1);
	assert_int_equal(modelfile_read(mf, "b", 1, 2, out, &e), 0);
	assert_true(out[0] == -2.5f && out[1] == 3.5f);
	assert_int_equal(modelfile_verify(mf, &e), ERR_NOTFOUND);
	modelfile_close(mf);
}

static void test_hostile(void **state)
{
#define T(shape, offsets) "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
	static const struct {
		const char *json, *what;
		size_t data;
	} cases[] = {
		{ "", "does not start", 0 },
		{ "  {}", "does not start", 0 },
		{ "[]", "does not start", 0 },
		{ "{", "JSON", 0 },
		{ "{}x", "JSON", 0 },
		{ "{}", "bytes follow", 1 },
		{ "{\"a\":1}", "not valid JSON", 0 },
		{ "{\"a\":[1,2,3]}", "not valid JSON", 0 },
		{ "{\"a\":null}", "not valid JSON", 0 },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "not valid JSON", 4 },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", "once each", 4 },
		{ "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
		  "once each", 4 },
		{ "{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", "not valid JSON", 4 },
		{ "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", "\"F64\"", 8 },
		{ "{\"a\":" T("[1]", "[0,4]") ",\"a\":" T("[1]", "[0,4]") "}", "two tensors", 4 },
		{ "{\"a b\":" T("[1]", "[0,4]") "}", "tensor name", 4 },
		{ "{\"\":" T("[1]", "[0,4]") "}", "tensor name", 4 },
		{ "{\"\\u001b[31m\\u009b\":" T("[1]", "[0,4]") "}", "tensor name", 4 },
		{ "{\"a\xff\":" T("[1]", "[0,4]") "}", "JSON", 4 },
		{ "{\"a\\u0000\":" T("[1]", "[0,4]") "}", "JSON", 4 },
		{ "{\"a234567890123456789012345678901234567890123456789012345678901234x\":"
		  T("[1]", "[0,4]") "}", "tensor name", 4 },
		{ "{\"a\":" T("[1,1,1]", "[0,4]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("{}", "[0,4]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("1", "[0,4]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("[0]", "[0,0]") "}", "impossible", 0 },
		{ "{\"a\":" T("[-1]", "[0,4]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("[1.0]", "[0,4]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("[\"1\"]", "[0,4]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("[4294967296,4294967296]", "[0,0]") "}", "impossible", 0 },
		{ "{\"a\":" T("[4611686018427387904]", "[0,0]") "}", "impossible", 0 },
		{ "{\"a\":" T("[4294967297,4294967295]", "[0,4]") "}", "impossible", 4 },
		{ "{\"a\":" T("[99999999999999999999]", "[0,4]") "}", "JSON", 4 },
		{ "{\"a\":" T("[1]", "[0,8]") "}", "needs 4", 8 },
		{ "{\"a\":" T("[1]", "[4,0]") "}", "needs 4", 4 },
		{ "{\"a\":" T("[1]", "[-4,0]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("[1]", "[0]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("[1]", "[0,4,4]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("[1]", "[0.0,4.0]") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("[1]", "{}") "}", "not valid JSON", 4 },
		{ "{\"a\":" T("[1]", "[4,8]") "}", "hole", 8 },
		{ "{\"a\":" T("[1]", "[9223372036854775790,9223372036854775794]") "}", "hole", 8 },
		{ "{\"a\":" T("[1]", "[0,4]") ",\"b\":" T("[1]", "[8,12]") "}", "hole", 12 },
		{ "{\"a\":" T("[2]", "[0,8]") ",\"b\":" T("[1]", "[4,8]") "}", "overlap", 8 },
		{ "{\"a\":" T("[1]", "[0,4]") ",\"b\":" T("[1]", "[0,4]") "}", "overlap", 4 },
		{ "{\"a\":" T("[2]", "[0,8]") "}", "cut short", 7 },
		{ "{\"a\":" T("[1]", "[0,4]") "}", "bytes follow", 5 },
		{ "{\"a\":" T("[[1]]", "[0,4]") "}", "not valid JSON", 4 },
		{ "{\"__metadata__\":7}", "JSON", 0 },
		{ "{\"__metadata__\":null}", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":1}}", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":{\"b\":{}}}}", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":[]}}", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":\"\\ud800\"}}", "JSON", 0 },
		{ "{\"__metadata__\":{\"meta_crc64\":\"0000000000000001\"}}", "checksum", 0 },
		{ "{\"__metadata__\":{\"meta_crc64\":\"zero\"}}", "checksum", 0 },
		{ "{\"__metadata__\":{},\"__metadata__\":{}}", "there twice", 0 },
		{ "{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", "there twice", 0 },
		{ "{\"__metadata__\":{\"a\":\"\\udc00\"}}", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":\"\\ud83d\\u0041\"}}", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":\"\\x\"}}", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":\"\\u12g4\"}}", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":\"\\u12", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":\"\\", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":\"\t\"}}", "JSON", 0 },
		{ "{\"__metadata__\":{\"a\":\"b\",}}", "JSON", 0 },
		{ "{\"__metadata__\":{},}", "JSON", 0 },
	};
#undef T
	struct fixture *f = *state;
	struct modelfile *mf;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		spill_header(f->path, cases[i].json, cases[i].data);
		common_refuses(f->path, ERR_FORMAT, cases[i].what);
	}
	spill_header(f->path, "{\"__metadata__\":{\"meta_crc64\":\"0000000000000000\"}}", 0);
	assert_int_equal(modelfile_open(&mf, f->path, NULL), 0);
	modelfile_close(mf);
	spill_header(f->path, "{\n\"__metadata__\" :\t{ \"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"
	             "\\uD83d\\ude42\\uffff\xc3\xa9\" , \"\":\"e\"}\r} \n", 0);
	assert_int_equal(modelfile_open(&mf, f->path, NULL), 0);
	assert_string_equal(modelfile_meta(mf, "a"), "\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x99\x82"
	                    "\xef\xbf\xbf\xc3\xa9");
	assert_string_equal(modelfile_meta(mf, ""), "e");
	modelfile_close(mf);
}

static void test_hostile_sizes(void **state)
{
	struct fixture *f = *state;
	static const uint64_t lengths[] = { 3, 100, 16 << 20, (16 << 20) + 1, UINT32_MAX,
	                                    INT64_MAX, UINT64_MAX - 7, UINT64_MAX };
	unsigned char raw[10] = { 0 };
	struct str s = STR_INIT;

	memcpy(raw + 8, "{}", 2);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memcpy(raw, &lengths[i], 8);
		common_spill(f->path, raw, sizeof(raw));
		common_refuses(f->path, ERR_FORMAT, "claims");
	}

	/* a million of everything must be turned away without a million objects */
	str_addc(&s, '{');
	for (int i = 0; i < 150000; i++)
		str_addf(&s, "%s\"a%d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
		         i ? "," : "", i, i, i + 1);
	str_addc(&s, '}');
	spill_header(f->path, s.s, 150000);
	common_refuses(f->path, ERR_FORMAT, "too many");
	str_reset(&s);
	for (int i = 0; i < 1000000; i++)
		str_adds(&s, i ? "[" : "{\"a\":");
	spill_header(f->path, s.s, 0);
	common_refuses(f->path, ERR_FORMAT, "JSON");
	str_reset(&s);
	str_adds(&s, "{\"a\":[0");
	for (int i = 0; i < 1000000; i++)
		str_adds(&s, ",0");
	str_adds(&s, "]}");
	spill_header(f->path, s.s, 0);
	common_refuses(f->path, ERR_FORMAT, "JSON");
	str_reset(&s);
	str_addc(&s, '{');
	str_adds(&s, "\"__metadata__\":{");
	for (int i = 0; i < 5000; i++)
		str_addf(&s, "%s\"a%d\":\"\"", i ? "," : "", i);
	str_adds(&s, "}}");
	spill_header(f->path, s.s, 0);
	common_refuses(f->path, ERR_FORMAT, "more than");
	str_free(&s);
}

static void test_not_files(void **state)
{
	struct fixture *f = *state;

	common_refuses(f->path, ERR_IO, "No such file");
	common_spill(f->path, "", 0);
	common_refuses(f->path, ERR_FORMAT, "is empty");
	common_spill(f->path, "1234567", 7);
	common_refuses(f->path, ERR_FORMAT, "only 7 bytes");
	unlink(f->path);
	assert_int_equal(mkdir(f->path, 0700), 0);
	common_refuses(f->path, ERR_IO, "is a folder");
	rmdir(f->path);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	common_refuses(f->path, ERR_IO, "a pipe or a device");
	unlink(f->path);
}

/* A long path must not push what is wrong out of the message. */
static void test_long_path(void **state)
{
	struct modelfile *mf;
	struct err e = ERR_INIT;
	struct str s = STR_INIT;

	(void)state;
	for (int i = 0; i < 900; i++)
		str_adds(&s, "./");
	str_adds(&s, "m.safetensors");
	assert_int_equal(modelfile_open(&mf, s.s, &e), ERR_IO);
	assert_non_null(strstr(e.msg, "No such file"));
	assert_non_null(strstr(e.msg, "m.safetensors"));
	assert_null(mf);
	str_free(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, common_setup, common_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip), TEST(test_header_text), TEST(test_empty_and_many), TEST(test_bf16),
		TEST(test_foreign), TEST(test_hostile), TEST(test_hostile_sizes), TEST(test_not_files),
		TEST(test_long_path),
	};

	return cmocka_run_group_tests_name("modelfile", tests, NULL, NULL);
}
