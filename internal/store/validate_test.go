package store

import (
	"fmt"
	"strings"
	"testing"
)

// opened opens a cell of a feed.
func opened(f *Feed) *cell {
	c := f.blocks[0].cells[1]
	c.unshare(f.resource.packer, 0, f.buffer)
	f.opened(c)
	return c
}

// form returns the form of the text of the same cell.
func formOf(f *Feed) *form { return f.blocks[0].cells[1].text.form.Load() }

func TestValidateFindsWhatIsBroken(t *testing.T) {
	const n, last = blockSlots + 6, blockSlots - 1 // objects; a slot
	tests := []struct {
		name     string
		sabotage func(f *Feed)
		want     string
	}{
		{"an object missing from the index", func(f *Feed) { delete(f.index, key{"shop", "rs-1"}) }, "the index does not point to {shop rs-1}"},
		{"two objects at one place", func(f *Feed) { f.index[key{"shop", "rs-1"}] = place{0, 0} }, "the index does not point to {shop rs-1}"},
		{"an index entry without object", func(f *Feed) { f.index[key{"shop", "ghost"}] = place{0, 9} }, fmt.Sprintf("objects in the index: %d recorded, %d found", n+1, n)},
		{"a used slot that is free", func(f *Feed) { f.free = append(f.free, place{0, 1}) }, "slot {0 1} is free and used"},
		{"a slot that is free twice", func(f *Feed) { f.free[0] = f.free[1] }, "is free twice"},
		{"a free slot that does not exist", func(f *Feed) { f.free[0] = place{9, 9} }, "free slot {9 9} does not exist"},
		{"a lost slot", func(f *Feed) { f.free = f.free[1:] }, fmt.Sprintf("free slots: %d recorded, %d found", 2*blockSlots-n-1, 2*blockSlots-n)},
		{"an unused slot with a key", func(f *Feed) { f.blocks[1].slots[last].key.name = "x" }, fmt.Sprintf("block 1: slot %d: unused and not empty", last)},
		{"series miscounted", func(f *Feed) { f.series++ }, fmt.Sprintf("series: %d recorded, %d found", n*families+1, n*families)},
		{"series of a slot miscounted", func(f *Feed) { f.blocks[0].slots[3].series++ }, "block 0: slot 3: 9 series recorded, 8 lines found"},
		{"bytes miscounted", func(f *Feed) { f.bytes-- }, "bytes: "},
		{"text that does not match its hash", func(f *Feed) { opened(f).plain[3]++ }, "block 0: family 1: slot 0: wrong hash of"},
		{"a hash of nothing", func(f *Feed) { f.blocks[1].cells[1].hashes[60] = hash{1, 2, 3} }, `block 1: family 1: slot 60: wrong hash of ""`},
		{"too many lines", func(f *Feed) { f.blocks[0].cells[1].counts[5] = 900 }, fmt.Sprintf("slot 5: 900 lines counted, %d left", last-4)},
		{"too few lines", func(f *Feed) { f.blocks[0].cells[1].counts[5] = 0 }, "slot 5: wrong hash of"},
		{"a wrong last slot", func(f *Feed) { f.blocks[0].cells[1].top = 3 }, "slot 4 has lines after the last slot, 3"},
		{"text after the last slot", func(f *Feed) {
			c := opened(f)
			c.plain = append(c.plain, "more\n"...)
		}, "5 bytes after the last slot"},
		{"a cell without lines", func(f *Feed) { f.blocks[0].cells[4] = &cell{} }, "block 0: family 4: a cell without lines"},
		{"a missing cell", func(f *Feed) { f.blocks[0].cells[1] = nil }, "block 0: slot 0: 8 series recorded, 7 lines found"},
		{"an open cell not marked as queued", func(f *Feed) { opened(f).waiting = false }, "an open cell is not queued"},
		{"an open cell not in the queue", func(f *Feed) { opened(f); f.open, f.openBytes = nil, 0 }, "a cell is marked as queued and is not"},
		{"an open cell in the queue twice", func(f *Feed) { f.open = append(f.open, opened(f)) }, "queued twice"},
		{"open bytes miscounted", func(f *Feed) { opened(f); f.openBytes++ }, "open bytes: "},
		{"no timer", func(f *Feed) { opened(f); f.timer.Stop(); f.timer = nil }, "1 open cells and no timer to seal them"},
		{"a buffer that is used twice", func(f *Feed) { f.spare = append(f.spare, opened(f).plain[:0]) }, "a buffer for reuse is in use"},
		{"bytes of a block miscounted", func(f *Feed) { f.blocks[1].bytes++ }, "block 1: "},
		{"a closed slot that is free too", func(f *Feed) { f.blocks[1].closed = f.free[:1] }, "is free twice"},
		{"another text in zstd", func(f *Feed) {
			form := *formOf(f)
			form.zstd = f.resource.packer.Zstd(nil, []byte("x"))
			f.blocks[0].cells[1].text.form.Store(&form)
		}, "the zstd form of a text differs"},
		{"two texts", func(f *Feed) { f.blocks[0].cells[1].plain = []byte("x") }, "a cell with both plain and text"},
		{"a text in two forms", func(f *Feed) { formOf(f).open = []byte("x") }, "a text both open and sealed"},
		{"a wrong checksum", func(f *Feed) { formOf(f).sealed.CRC++ }, "recorded,"},
		{"sealed data that is broken", func(f *Feed) { formOf(f).sealed.Data = []byte("x") }, "inflate"},
		{"a wrong size", func(f *Feed) { f.blocks[0].cells[1].text.size-- }, "recorded"},
		{"used slots miscounted", func(f *Feed) { f.blocks[1].used++ }, "block 1: 7 slots used recorded, 6 found"},
		{"a stale text for snapshots", func(f *Feed) { f.blocks[0].shared[1] = newText(nil) }, "block 0: family 1: snapshots would share a stale text"},
		{"a text for snapshots of a cell that is gone", func(f *Feed) { f.blocks[0].shared[10] = newText(nil) }, "block 0: family 10: snapshots would share"},
		{"families miscounted", func(f *Feed) { f.blocks[1].cells = f.blocks[1].cells[1:] }, "block 1: 10 cells"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newResource(t)
			f := r.NewFeed()
			f.Begin()
			for i := range n {
				f.Put(replicaSet(fmt.Sprint("rs-", i), 1))
			}
			f.Commit()
			r.Snapshot(Slice{})
			if err := f.validate(); err != nil {
				t.Fatalf("a sound store: %v", err)
			}
			test.sabotage(f)
			err := f.validate()
			if err == nil {
				t.Fatal("not found")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error does not say %q:\n%v", test.want, err)
			}
			defer func() {
				if msg := fmt.Sprint(recover()); !strings.Contains(msg, "store of replicasets is broken") {
					t.Errorf("Snapshot of a broken store panics with %q", msg)
				}
			}()
			r.Snapshot(Slice{})
		})
	}
}

func TestValidationIsOffByDefault(t *testing.T) {
	for value, want := range map[string]bool{"1": true, "0": false, "": false} {
		t.Setenv("KUBESTATE_VALIDATE", value)
		if got := New(Config{Table: replicaSets(t)}).validate; got != want {
			t.Errorf("KUBESTATE_VALIDATE=%s: validates %t, want %t", value, got, want)
		}
	}
}
