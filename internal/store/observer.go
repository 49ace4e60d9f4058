package store

import (
	"github.com/kubestate/kubestate/kind"
)

// An Observer is notified of every change of a Feed, after it was stored, by the goroutine
// that stored it. The object is valid until Put returns.
type Observer interface {
	// Before is called before an object is rendered and stored; Put follows.
	Before(f *Feed, o kind.Object)
	Put(f *Feed, o kind.Object)
	Delete(f *Feed, namespace, name string)
}

// Refresh renders one family of an object that is stored, from an object that needs only the
// fields that this family and the identity labels read. It does nothing for an object that
// is not stored.
func (f *Feed) Refresh(o kind.Object, family int) {
	x := f.resource.renderer()
	defer f.resource.renderers.Put(x)
	if f.resource.labeler != nil {
		if labels := f.resource.labeler.HoldStored(f, o.GetNamespace(), o.GetName()); labels != nil {
			defer labels.Unlock()
			x.end(labels, f.resource.tailOf)
		}
	}
	k := key{o.GetNamespace(), o.GetName()}
	if err := f.resource.table.CollectFamily(o, family, x.emitter); err != nil {
		f.failed(k, err)
	}
	due, err := f.refresh(k, family, x.lines.Lines(family))
	if err != nil {
		f.failed(k, err)
	}
	f.sealAll(due)
}

// refresh stores the lines of one family of an object, and returns texts to seal.
func (f *Feed) refresh(k key, family int, lines []byte) (due []*text, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.index[k]
	if !ok {
		return nil, nil
	}
	err = f.set(f.blocks[p.block], int(p.slot), family, lines)
	f.checkBlock(int(p.block))
	return f.takeTooMuch(), err
}
