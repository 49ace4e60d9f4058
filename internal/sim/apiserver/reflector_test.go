package apiserver_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// TestReflector runs a stock client-go reflector: a streaming list, changes,
// a relist after 410, and the fall back to a paged list.
func TestReflector(t *testing.T) {
	for _, format := range formats {
		for _, streaming := range []bool{true, false} {
			name := format.name + "/list"
			if streaming {
				name = format.name + "/streaming"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel() // A reflector waits for seconds before it tries again.
				testReflector(t, format.accept, streaming)
			})
		}
	}
}

func testReflector(t *testing.T, accept string, streaming bool) {
	store := newStore(t, 5, 200)
	server, running := start(t, store, apiserver.Config{BookmarkInterval: 10 * time.Millisecond})
	if !streaming {
		defer server.Inject(apiserver.NoStreaming())()
	}
	c := client(t, running.URL, accept)
	ctx := testContext(t)
	informer := cache.NewSharedIndexInformer(cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return c.CoreV1().Pods("").List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return c.CoreV1().Pods("").Watch(ctx, o)
		},
	}, c), &corev1.Pod{}, 0, cache.Indexers{})
	seen := make(chan string, 1000)
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { seen <- o.(*corev1.Pod).Name },
		DeleteFunc: func(o any) { seen <- "-" + name(o) },
	})
	if err != nil {
		t.Fatal(err)
	}
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		t.Fatal("informer did not sync")
	}
	if got := len(informer.GetStore().List()); got != 200 {
		t.Errorf("informer has %d pods, want 200", got)
	}
	put(t, store, bare("default", "late"))
	await(t, ctx, seen, "late")
	lists, streams := server.Count(apiserver.VerbList, "pods"), server.Count(apiserver.VerbWatchList, "pods")
	if streaming && (lists != 0 || streams != 1) || !streaming && (lists != 1 || streams != 1) {
		t.Errorf("%d lists and %d streaming lists, want 1 of the kind in use", lists, streams)
	}
	relist(t, ctx, server, store, seen)
}

// relist cuts the watch while a pod goes unseen and expects the reflector to
// notice.
func relist(t *testing.T, ctx context.Context, server *apiserver.Server, store *apiserver.Store, seen chan string) {
	t.Helper()
	if err := server.AwaitWatches(ctx, "pods", 1); err != nil {
		t.Fatal(err)
	}
	remove := server.Inject(apiserver.Unavailable("pods", 0))
	if n := server.CutWatches("pods"); n != 1 {
		t.Errorf("cut %d watches, want 1", n)
	}
	if err := server.AwaitWatches(ctx, "pods", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Delete("pods", "default", "late"); err != nil {
		t.Fatal(err)
	}
	store.Compact()
	server.ResetRequests()
	remove()
	await(t, ctx, seen, "-late")
	if n := server.Count(apiserver.VerbList, "pods") + server.Count(apiserver.VerbWatchList, "pods"); n < 1 {
		t.Errorf("the reflector recovered without a new list")
	}
}

func await(t *testing.T, ctx context.Context, seen <-chan string, want string) {
	t.Helper()
	for {
		select {
		case got := <-seen:
			if got == want {
				return
			}
		case <-ctx.Done():
			t.Fatalf("never saw %q", want)
		}
	}
}

func name(o any) string {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(o)
	if err != nil {
		return err.Error()
	}
	_, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return err.Error()
	}
	return name
}
