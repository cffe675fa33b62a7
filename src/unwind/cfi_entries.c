#include "unwind/cfi_entries.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "process/elfcheck.h"

#define SECTION_MAX ((uint64_t)1 << 31) /* decompressed */
#define RATIO_MAX 1100			/* zlib cannot pack closer; what claims more lies */

/* LSB 10.5: a pointer's format is the low half of its encoding, what it is relative to the high one. */
uint64_t cfi_pointer(const struct cfi *c, struct cursor *cur, uint8_t encoding, uint8_t address_size)
{
	uint64_t at = c->vaddr + cfi_position(c, cur), v;

	switch (encoding & 0xf) {
	case DW_EH_PE_absptr:
		v = address_size == 4 ? cursor_u32(cur) : cursor_u64(cur);
		break;
	case DW_EH_PE_uleb128:
		v = cursor_uleb(cur);
		break;
	case DW_EH_PE_udata2:
		v = cursor_u16(cur);
		break;
	case DW_EH_PE_udata4:
		v = cursor_u32(cur);
		break;
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		v = cursor_u64(cur);
		break;
	case DW_EH_PE_sleb128:
		v = (uint64_t)cursor_sleb(cur);
		break;
	case DW_EH_PE_sdata2:
		v = (uint64_t)(int64_t)(int16_t)cursor_u16(cur);
		break;
	case DW_EH_PE_sdata4:
		v = (uint64_t)(int64_t)(int32_t)cursor_u32(cur);
		break;
	default:
		cur->failed = true;
		return 0;
	}
	if ((encoding & 0x70) == DW_EH_PE_pcrel)
		return at + v;
	if ((encoding & 0x70) != DW_EH_PE_absptr || encoding & DW_EH_PE_indirect)
		cur->failed = true; /* relative to text or data, aligned, indirect: not for code addresses */
	return v;
}

/* An entry's extent, and where its CIE is; a CIE says so itself. */
struct entry_header {
	size_t begin, end, id_size;
	size_t cie;
	bool is_cie;
};

/* False at the end of the section, or where it does not parse. */
static bool read_header(const struct cfi *c, size_t at, struct entry_header *h)
{
	struct cursor cur = cfi_cursor(c, at, c->size);
	uint64_t length = cursor_u32(&cur), id, from;
	bool wide = length == UINT32_MAX;

	if (wide)
		length = cursor_u64(&cur);
	if (cur.failed || !length || length > cursor_left(&cur))
		return false;
	from = cfi_position(c, &cur);
	h->end = from + length;
	/* in .eh_frame the field has 4 bytes even behind a 64-bit length */
	h->id_size = wide && c->kind == CFI_DEBUG_FRAME ? 8 : 4;
	cur = cfi_cursor(c, from, h->end);
	id = h->id_size == 8 ? cursor_u64(&cur) : cursor_u32(&cur);
	h->begin = cfi_position(c, &cur);
	if (c->kind == CFI_EH_FRAME) {
		h->is_cie = id == 0;
		h->cie = from - id;
	} else {
		h->is_cie = id == (h->id_size == 8 ? UINT64_MAX : UINT32_MAX);
		h->cie = id;
	}
	return !cur.failed && (h->is_cie || h->cie < c->size);
}

static void read_augmentation(const struct cfi *c, struct cursor *cur, const char *aug, struct cie *cie)
{
	uint64_t size;
	struct cursor data;

	if (!*aug)
		return;
	if (*aug != 'z') {
		cur->failed = true; /* what follows has no known size */
		return;
	}
	cie->sized = true;
	size = cursor_uleb(cur);
	if (size > cursor_left(cur)) {
		cur->failed = true;
		return;
	}
	data = cfi_cursor(c, cfi_position(c, cur), cfi_position(c, cur) + size);
	cursor_take(cur, size);
	for (aug++; *aug && !data.failed; aug++) {
		if (*aug == 'R')
			cie->encoding = cursor_u8(&data);
		else if (*aug == 'L')
			cursor_u8(&data);
		else if (*aug == 'P')
			cfi_pointer(c, &data, cursor_u8(&data) & 0xf, cie->address_size);
		else if (*aug == 'S')
			cie->signal = true;
		else if (*aug != 'B') /* arm64: signed with key B */
			return;
	}
}

bool cfi_read_cie(const struct cfi *c, size_t at, struct cie *cie)
{
	struct entry_header h;
	struct cursor cur;
	const char *aug;
	uint8_t version;

	if (!read_header(c, at, &h) || !h.is_cie)
		return false;
	*cie = (struct cie){.encoding = DW_EH_PE_absptr, .address_size = 8, .program_end = h.end};
	cur = cfi_cursor(c, h.begin, h.end);
	version = cursor_u8(&cur);
	aug = cursor_cstr(&cur, NULL);
	if (!aug || (version != 1 && version != 3 && version != 4))
		return false;
	if (version == 4) {
		cie->address_size = cursor_u8(&cur);
		if (cursor_u8(&cur) || (cie->address_size != 8 && cie->address_size != 4))
			return false; /* segments */
	}
	cie->code_align = cursor_uleb(&cur);
	cie->data_align = cursor_sleb(&cur);
	cie->ra = version == 1 ? cursor_u8(&cur) : cursor_uleb(&cur);
	read_augmentation(c, &cur, aug, cie);
	cie->program = cfi_position(c, &cur);
	return !cur.failed;
}

static void add_entry(struct cfi *c, const struct entry_header *h, const struct cie *cie)
{
	struct cursor cur = cfi_cursor(c, h->begin, h->end);
	struct cfi_entry e = {.cie = h->cie, .program_end = h->end};

	e.start = cfi_pointer(c, &cur, cie->encoding, cie->address_size);
	e.end = e.start + cfi_pointer(c, &cur, cie->encoding & 0xf, cie->address_size);
	if (cie->sized)
		cursor_take(&cur, cursor_uleb(&cur));
	e.program = cfi_position(c, &cur);
	if (cur.failed || e.end <= e.start)
		return;
	ALLOC_GROW(c->entries, c->nr + 1, c->alloc);
	c->entries[c->nr++] = e;
}

static int by_start(const void *a, const void *b)
{
	const struct cfi_entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->program > y->program) - (x->program < y->program);
}

static void read_entries(struct cfi *c)
{
	struct entry_header h;
	struct cie cie;
	size_t last = SIZE_MAX; /* the CIE that is in cie; most entries of a file share one */
	bool good = false, sorted = true;

	for (size_t at = 0; read_header(c, at, &h); at = h.end) {
		if (h.is_cie)
			continue;
		if (h.cie != last) {
			last = h.cie;
			good = cfi_read_cie(c, last, &cie);
		}
		if (good)
			add_entry(c, &h, &cie);
	}
	for (size_t i = 1; i < c->nr && sorted; i++)
		sorted = by_start(&c->entries[i - 1], &c->entries[i]) <= 0;
	if (!sorted)
		qsort(c->entries, c->nr, sizeof(*c->entries), by_start);
}

/* --- sections ------------------------------------------------------------------------------ */

/* .zdebug_frame (GNU) and SHF_COMPRESSED are unpacked by libelf, once the size they claim is believable. */
static bool unpack(Elf_Scn *scn, const GElf_Shdr *sh, bool gnu)
{
	uint64_t size = 0;

	if (gnu) {
		Elf_Data *raw = elf_rawdata(scn, NULL);
		const uint8_t *p = raw ? raw->d_buf : NULL;

		if (!p || raw->d_size < 12 || memcmp(p, "ZLIB", 4) != 0)
			return false;
		for (int i = 4; i < 12; i++)
			size = size << 8 | p[i];
	} else {
		GElf_Chdr ch;

		if (!gelf_getchdr(scn, &ch))
			return false;
		size = ch.ch_size;
	}
	if (size > SECTION_MAX || size / RATIO_MAX > sh->sh_size)
		return false;
	return (gnu ? elf_compress_gnu(scn, 0, 0) : elf_compress(scn, 0, 0)) >= 0;
}

static bool find_section(Elf *elf, struct cfi *c)
{
	const char *want = c->kind == CFI_EH_FRAME ? ".eh_frame" : ".debug_frame";
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings) != 0)
		return false;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr sh;
		const char *name;
		bool gnu;
		Elf_Data *d;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, strings, sh.sh_name);
		gnu = name && !strcmp(name, ".zdebug_frame") && c->kind == CFI_DEBUG_FRAME;
		if (!name || (strcmp(name, want) != 0 && !gnu))
			continue;
		if ((gnu || sh.sh_flags & SHF_COMPRESSED) && !unpack(scn, &sh, gnu))
			return false;
		d = elf_rawdata(scn, NULL);
		if (!d || !d->d_buf)
			return false;
		c->data = d->d_buf;
		c->size = d->d_size;
		c->vaddr = sh.sh_addr;
		return true;
	}
	return false;
}

/* Without section headers: .eh_frame_hdr's segment tells where .eh_frame is. */
static bool find_segment(Elf *elf, struct cfi *c)
{
	size_t n = elf_segments(elf), file_size;
	const char *file = elf_rawfile(elf, &file_size);
	GElf_Phdr ph, hdr = {.p_type = PT_NULL};
	struct cursor cur;
	uint64_t at;
	uint8_t encoding;

	if (!file)
		return false;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_GNU_EH_FRAME)
			hdr = ph;
	if (hdr.p_type == PT_NULL || hdr.p_offset > file_size || hdr.p_filesz > file_size - hdr.p_offset)
		return false;
	c->data = (const uint8_t *)file + hdr.p_offset;
	c->size = hdr.p_filesz;
	c->vaddr = hdr.p_vaddr;
	cur = cfi_cursor(c, 0, c->size);
	if (cursor_u8(&cur) != 1)
		return false;
	encoding = cursor_u8(&cur);
	cursor_take(&cur, 2);
	at = cfi_pointer(c, &cur, encoding, 8);
	for (size_t i = 0; i < n && !cur.failed; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD ||
		    at - ph.p_vaddr >= ph.p_filesz /* wraps where it lies before */ || ph.p_offset > file_size || ph.p_filesz > file_size - ph.p_offset)
			continue;
		c->data = (const uint8_t *)file + ph.p_offset + (at - ph.p_vaddr);
		c->size = ph.p_filesz - (at - ph.p_vaddr); /* a length of 0 ends it */
		c->vaddr = at;
		return true;
	}
	return false;
}

struct cfi *cfi_open(Elf *elf, enum cfi_kind kind)
{
	struct cfi *c = xcalloc(1, sizeof(*c));
	const char *ident = elf_getident(elf, NULL);
	GElf_Ehdr eh;

	c->kind = kind;
	if (!ident || !gelf_getehdr(elf, &eh) || (!find_section(elf, c) && (kind != CFI_EH_FRAME || !find_segment(elf, c)))) {
		free(c);
		return NULL;
	}
	c->machine = eh.e_machine;
	c->swap = (ident[EI_DATA] == ELFDATA2MSB) != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	read_entries(c);
	return c;
}

void cfi_close(struct cfi *c)
{
	if (!c)
		return;
	free(c->entries);
	free(c);
}

const struct cfi_entry *cfi_find(const struct cfi *c, uint64_t vaddr)
{
	size_t low = 0, high = c->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->entries[mid].start <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && vaddr < c->entries[low - 1].end ? &c->entries[low - 1] : NULL;
}
