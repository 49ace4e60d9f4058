package kubestate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// joinedFamilies are the families that the tests check: one without labels of its own, one
// with the label node, one whose labels are those of the object, and one of Nodes.
var joinedFamilies = []string{"kube_pod_info", "kube_pod_labels", "kube_pod_start_time", "kube_node_spec_unschedulable"}

var allJoins = []kubestate.Join{
	{Families: "kube_pod_*", Labels: []string{"app", "team.*"}, NamespaceLabels: []string{"team"}, Workload: true},
	{Families: "kube_*", Node: true, NodeLabels: []string{"topology.kubernetes.io/zone"}},
}

// joins is an Exporter with joins and its feeds.
type joins struct {
	*kubestate.Exporter
	feeds map[string]*kubestate.Feed
}

func newJoins(t *testing.T, c ...kubestate.Join) joins {
	t.Helper()
	return newJoinsOf(t, joinedFamilies, c...)
}

func newJoinsOf(t *testing.T, families []string, c ...kubestate.Join) joins {
	t.Helper()
	x := newExporter(t, kubestate.Config{
		Kinds:  []*kind.Table{kind.Pods, kind.Nodes},
		Keep:   func(d *metric.Desc) bool { return slices.Contains(families, d.Name) },
		Labels: map[string][]string{"pods": {"app"}},
		Joins:  c,
	})
	j := joins{x, map[string]*kubestate.Feed{}}
	for _, table := range x.Tables() {
		f, err := x.NewFeed(table.Resource)
		if err != nil {
			t.Fatal(err)
		}
		f.Begin()
		f.Commit()
		j.feeds[table.Name] = f
	}
	return j
}

// lines returns all sample lines, sorted.
func (j joins) lines(t *testing.T) []string {
	t.Helper()
	lines := samples(write(t, j.Exporter, exposition.Text, kubestate.Selection{}))
	slices.Sort(lines)
	return lines
}

// of returns the rest of the kube_pod_start_time line of a Pod after its identity labels.
func (j joins) of(t *testing.T, pod string) string {
	t.Helper()
	for _, line := range j.lines(t) {
		if rest, ok := strings.CutPrefix(line, fmt.Sprintf(`kube_pod_start_time{namespace="shop",pod=%q,uid="`, pod)); ok {
			uid, rest, _ := strings.Cut(rest, `"`)
			return uid + strings.TrimSuffix(rest, "} 1.5e+09")
		}
	}
	return "not there"
}

func joinedPod(name, uid, node, owner string, labels map[string]string) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u", Labels: labels},
		Spec:       corev1.PodSpec{NodeName: node},
		Status:     corev1.PodStatus{StartTime: &metav1.Time{Time: metav1.Unix(1_500_000_000, 0).Time}},
	}
	p.SetUID(types.UID(uid))
	if kind, name, ok := strings.Cut(owner, "/"); ok {
		p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: name}}
	}
	return p
}

func zonedNode(name, zone string) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if zone != "" {
		n.Labels = map[string]string{"topology.kubernetes.io/zone": zone, "other": "o"}
	}
	return n
}

func teamNamespace(team string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": team}}}
}

func ownedJob(name, owner string) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	if kind, name, ok := strings.Cut(owner, "/"); ok {
		j.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: name}}
	}
	return j
}

func ownedReplicaSet(name, owner, hash string) *appsv1.ReplicaSet {
	r := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	if kind, name, ok := strings.Cut(owner, "/"); ok {
		r.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: name}}
	}
	if hash != "" {
		r.Labels = map[string]string{"pod-template-hash": hash}
	}
	return r
}

// Joined labels do not depend on the order in which objects are fed.
func TestJoinsInAnyOrder(t *testing.T) {
	events := []event{
		{"pods", joinedPod("cart", "u1", "w1", "Job/report", map[string]string{"app": "ca\"rt", "team.one": "1", "more": "m"})},
		{"pods", joinedPod("lone", "u2", "", "", nil)},
		{"nodes", zonedNode("w1", "north")},
		{"nodes", zonedNode("w2", "south")},
		{"namespaces", teamNamespace("checkout")},
		{"jobs", ownedJob("report", "CronJob/daily")},
	}
	want := strings.Split(`kube_node_spec_unschedulable{node="w1",node_label_topology_kubernetes_io_zone="north"} 0
kube_node_spec_unschedulable{node="w2",node_label_topology_kubernetes_io_zone="south"} 0
kube_pod_info{namespace="shop",pod="cart",uid="u1",host_ip="",pod_ip="",node="w1",created_by_kind="",created_by_name="",priority_class="",host_network="false",label_app="ca\"rt",label_team_one="1",workload="daily",workload_type="CronJob",node_label_topology_kubernetes_io_zone="north",namespace_label_team="checkout"} 1
kube_pod_info{namespace="shop",pod="lone",uid="u2",host_ip="",pod_ip="",node="",created_by_kind="",created_by_name="",priority_class="",host_network="false",workload="lone",workload_type="barepod",namespace_label_team="checkout"} 1
kube_pod_labels{namespace="shop",pod="cart",uid="u1",label_app="ca\"rt",node="w1",workload="daily",workload_type="CronJob",node_label_topology_kubernetes_io_zone="north",namespace_label_team="checkout"} 1
kube_pod_labels{namespace="shop",pod="lone",uid="u2",workload="lone",workload_type="barepod",namespace_label_team="checkout"} 1
kube_pod_start_time{namespace="shop",pod="cart",uid="u1",label_app="ca\"rt",label_team_one="1",node="w1",workload="daily",workload_type="CronJob",node_label_topology_kubernetes_io_zone="north",namespace_label_team="checkout"} 1.5e+09
kube_pod_start_time{namespace="shop",pod="lone",uid="u2",workload="lone",workload_type="barepod",namespace_label_team="checkout"} 1.5e+09`, "\n")
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		j := newJoins(t, allJoins...)
		random.Shuffle(len(events), func(a, b int) { events[a], events[b] = events[b], events[a] })
		for _, e := range events {
			j.feeds[e.resource].Put(e.object)
		}
		if diff := cmp.Diff(want, j.lines(t)); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
}

// Joined labels follow changes of their source, and never come from an earlier object with
// the same name.
func TestJoinsFollow(t *testing.T) {
	j := newJoins(t, allJoins...)
	step := func(when string, pod, want string) {
		t.Helper()
		if got := j.of(t, pod); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", when, got, want)
		}
	}
	const zone = `,node_label_topology_kubernetes_io_zone=`
	j.feeds["pods"].Put(joinedPod("cart", "u1", "w1", "Job/report", nil))
	step("nothing else is known", "cart", `u1,node="w1"`)
	j.feeds["jobs"].Put(ownedJob("report", ""))
	step("its Job came", "cart", `u1,node="w1",workload="report",workload_type="job"`)
	j.feeds["jobs"].Put(ownedJob("report", "CronJob/daily"))
	step("its Job was adopted", "cart", `u1,node="w1",workload="daily",workload_type="CronJob"`)
	j.feeds["jobs"].Delete("shop", "report")
	step("its Job is gone", "cart", `u1,node="w1"`)
	j.feeds["nodes"].Put(zonedNode("w1", "north"))
	step("its Node came", "cart", `u1,node="w1"`+zone+`"north"`)
	j.feeds["nodes"].Put(zonedNode("w1", "east"))
	step("its Node moved", "cart", `u1,node="w1"`+zone+`"east"`)
	j.feeds["nodes"].Put(zonedNode("w1", ""))
	step("its Node lost the label", "cart", `u1,node="w1"`)
	j.feeds["nodes"].Put(zonedNode("w2", "south"))
	j.feeds["pods"].Put(joinedPod("cart", "u2", "w2", "StatefulSet/cart", map[string]string{"app": "cart"}))
	step("another Pod of that name", "cart", `u2,label_app="cart",node="w2",workload="cart",workload_type="statefulset"`+zone+`"south"`)
	j.feeds["nodes"].Put(zonedNode("w1", "north"))
	j.feeds["jobs"].Put(ownedJob("report", "CronJob/daily"))
	step("what concerned the one before", "cart", `u2,label_app="cart",node="w2",workload="cart",workload_type="statefulset"`+zone+`"south"`)
	j.feeds["pods"].Put(joinedPod("own", "u4", "", "ReplicaSet/own-1", nil))
	j.feeds["replicasets"].Put(ownedReplicaSet("own-1", "CloneSet/own", ""))
	step("its ReplicaSet came", "own", `u4,workload="own",workload_type="CloneSet"`)
	j.feeds["replicasets"].Put(ownedReplicaSet("own-1", "Deployment/own", "1"))
	step("another ReplicaSet of that name, whose Pods tell its owner", "own", "u4")
	j.feeds["namespaces"].Put(teamNamespace("checkout"))
	j.feeds["pods"].Put(joinedPod("pay", "u3", "", "", nil))
	step("a Pod without Node", "pay", `u3,workload="pay",workload_type="barepod",namespace_label_team="checkout"`)
	j.feeds["nodes"].Begin()
	j.feeds["nodes"].Commit()
	step("a full read found no Node", "cart", `u2,label_app="cart",node="w2",workload="cart",workload_type="statefulset",namespace_label_team="checkout"`)
	j.feeds["pods"].Begin()
	j.feeds["pods"].Put(joinedPod("cart", "u2", "w2", "StatefulSet/cart", map[string]string{"app": "cart"}))
	j.feeds["pods"].Commit()
	step("a full read did not find it", "pay", "not there")
	j.feeds["pods"].Delete("shop", "cart")
	j.feeds["namespaces"].Put(teamNamespace("other"))
	j.feeds["nodes"].Put(zonedNode("w2", "south"))
	step("it is gone", "cart", "not there")
	if s := j.Stats(kind.Pods.Resource); s.Series != 0 || s.Bytes != 0 {
		t.Errorf("left over: %+v", s)
	}
}

// After random changes, lines are the same as after a list of the final objects.
func TestJoinsAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	j := newJoins(t, allJoins...)
	last := map[string]event{}
	name := func(prefix string, n int) string { return fmt.Sprintf("%s%d", prefix, random.IntN(n)) }
	steps := 1500
	if raceDetector {
		steps = 400 // The race detector is slow, and there is only one goroutine.
	}
	for range steps {
		var e event
		switch random.IntN(8) {
		case 0:
			e = event{"nodes", zonedNode(name("w", 5), name("z", 3))}
		case 1:
			e = event{"jobs", ownedJob(name("j", 5), "CronJob/"+name("c", 2))}
		case 2:
			e = event{"namespaces", teamNamespace(name("t", 2))}
		default:
			e = event{"pods", joinedPod(name("p", 150), name("u", 2), name("w", 6), "Job/"+name("j", 6), map[string]string{"app": name("a", 3)})}
		}
		key := e.resource + e.object.GetName()
		if random.IntN(6) == 0 {
			j.feeds[e.resource].Delete(e.object.GetNamespace(), e.object.GetName())
			delete(last, key)
			continue
		}
		j.feeds[e.resource].Put(e.object)
		last[key] = e
	}
	fresh := newJoins(t, allJoins...)
	for _, e := range last {
		fresh.feeds[e.resource].Put(e.object)
	}
	if diff := cmp.Diff(fresh.lines(t), j.lines(t)); diff != "" {
		t.Errorf("-fresh +changed:\n%s", diff)
	}
	if a, b := fresh.Stats(kind.Pods.Resource), j.Stats(kind.Pods.Resource); a != b {
		t.Errorf("fresh %+v, changed %+v", a, b)
	}
}

func TestInvalidJoins(t *testing.T) {
	const hidden = "kubectl.kubernetes.io/last-applied-configuration"
	_, err := kubestate.New(kubestate.Config{Joins: []kubestate.Join{
		{Families: "kube_pod_*"},
		{Families: "kube_podz_*", Labels: []string{"app"}},
		{Families: "kube_*_*", NodeLabels: []string{"a*b*"}},
		{Families: "kube_secret_info", Annotations: []string{hidden}, Workload: true},
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`join on "kube_pod_*": no labels are asked for`, `join on "kube_podz_*": no family has such a name`,
		`join on "kube_*_*": only one * is allowed in the name of families`, `node label pattern "a*b*": only one * is allowed`,
		`join on "kube_secret_info": annotation ` + hidden + ` is never shown`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s:\n%v", want, err)
		}
	}
}

// The annotation with a copy of the data of a Secret is not joined.
func TestJoinsDoNotExposeSecrets(t *testing.T) {
	x := newExporter(t, kubestate.Config{
		Kinds: []*kind.Table{kind.Secrets},
		Joins: []kubestate.Join{{Families: "*", Annotations: []string{"*"}}},
	})
	feed(t, x, "secrets", &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "s", Annotations: map[string]string{
		"kubectl.kubernetes.io/last-applied-configuration": "open sesame", "a": "shown",
	}}})
	body := write(t, x, exposition.Text, kubestate.Selection{})
	if strings.Contains(body, "sesame") || !strings.Contains(body, `kube_secret_info{namespace="shop",secret="s",annotation_a="shown"} 1`) {
		t.Error(body)
	}
}

// Resources that joins need are read even if they are not served.
func TestJoinsReadTheirSources(t *testing.T) {
	for want, join := range map[string]kubestate.Join{
		"pods":                  {Node: true, Labels: []string{"app"}},
		"nodes pods":            {NodeAnnotations: []string{"a"}},
		"namespaces pods":       {NamespaceLabels: []string{"a"}},
		"jobs pods replicasets": {Workload: true},
	} {
		join.Families = "kube_pod_info"
		x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{kind.Pods}, Joins: []kubestate.Join{join}})
		if got := strings.Join(kind.Names(x.Tables()), " "); got != want {
			t.Errorf("%+v reads %s, want %s", join, got, want)
		}
		for _, table := range x.Tables() {
			if table.Name != "pods" && len(table.Schema().Families) > 0 {
				t.Errorf("%+v: %s are served", join, table.Name)
			}
		}
	}
}

func TestPutOfAJoinedObjectAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector sync.Pool drops items at random")
	}
	t.Setenv("KUBESTATE_VALIDATE", "0")
	x, err := kubestate.New(kubestate.Config{Kinds: []*kind.Table{kind.Pods}, Joins: allJoins[:1]})
	if err != nil {
		t.Fatal(err)
	}
	p := joinedPod("cart", "u", "w1", "StatefulSet/cart", map[string]string{"app": "cart"})
	f := feed(t, x, "pods", p)
	if n := testing.AllocsPerRun(100, func() { f.Put(p) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// Objects decoded with only the fields that the tables declare get the same labels as whole
// objects.
func TestJoinsDeclareFields(t *testing.T) {
	all := []string{"*"}
	joined := func(filter bool) string {
		x := newExporter(t, kubestate.Config{
			Kinds: []*kind.Table{kind.Pods, kind.Deployments}, Annotations: map[string][]string{"deployments": all},
			Keep: func(d *metric.Desc) bool {
				return slices.Contains([]string{"kube_pod_start_time", "kube_deployment_annotations"}, d.Name)
			},
			Joins: []kubestate.Join{{
				Families: "*", Labels: all, Annotations: all, Node: true, NodeLabels: all, NodeAnnotations: all,
				NamespaceLabels: all, NamespaceAnnotations: all, Workload: true,
			}},
		})
		feeds := map[string]*kubestate.Feed{}
		for _, table := range x.Tables() {
			feeds[table.Name] = feed(t, x, table.Name)
		}
		for _, e := range []event{
			{"pods", joinedPod("cart", "u", "w1", "Job/report", nil)}, {"pods", joinedPod("web", "u", "w1", "ReplicaSet/web-1", nil)},
			{"nodes", zonedNode("w1", "")}, {"namespaces", teamNamespace("t")}, {"jobs", ownedJob("report", "CronJob/daily")},
			putReplicaSet(metav1.ObjectMeta{Namespace: "shop", Name: "web-1", OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Name: "web"}}}),
			{"deployments", &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}},
		} {
			e.object.SetLabels(map[string]string{"l": e.resource, "topology.kubernetes.io/zone": "north"})
			e.object.SetAnnotations(map[string]string{"a": e.resource, "kubectl.kubernetes.io/last-applied-configuration": "{}"})
			table := x.Tables()[slices.Index(kind.Names(x.Tables()), e.resource)]
			if filter {
				e.object = decodeFiltered(t, table, e.object)
			}
			feeds[e.resource].Put(e.object)
		}
		return write(t, x, exposition.Text, kubestate.Selection{})
	}
	whole := joined(false)
	if diff := cmp.Diff(whole, joined(true)); diff != "" {
		t.Errorf("-whole +filtered:\n%s", diff)
	}
	for _, want := range []string{
		`,label_l="pods",label_topology_kubernetes_io_zone="north",annotation_a="pods",node="w1",workload="daily",workload_type="CronJob",node_label_l="nodes",` +
			`node_label_topology_kubernetes_io_zone="north",node_annotation_a="nodes",namespace_label_l="namespaces",` +
			`namespace_label_topology_kubernetes_io_zone="north",namespace_annotation_a="namespaces"} 1.5e+09`,
		`workload="web",workload_type="deployment"`, `annotation_kubectl_kubernetes_io_last_applied_configuration="{}"`,
	} {
		if !strings.Contains(whole, want) {
			t.Errorf("want %s in:\n%s", want, whole)
		}
	}
}

func decodeFiltered(t *testing.T, table *kind.Table, o kind.Object) kind.Object {
	t.Helper()
	message, err := o.(interface{ Marshal() ([]byte, error) }).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	filter, err := wire.Compile(table.New(), kind.Reads(table))
	if err != nil {
		t.Fatal(err)
	}
	filtered := table.New()
	if err := filtered.Unmarshal(filter.Append(nil, message)); err != nil {
		t.Fatal(err)
	}
	return filtered
}
