package agent_test

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// modelled is crossed with all kinds of aggregations, owners and a Tracker.
func modelled(tracker *sizes) *naming.Scheme {
	n := crossed()
	n.Entities = []naming.Entity{{Resource: "pods", Tags: []string{"namespace", "pod"}}}
	for _, op := range []naming.Op{naming.Sum, naming.Count, naming.Min, naming.Max} {
		n.Aggregates = append(n.Aggregates, naming.Aggregate{
			Family: "kube_pod_container_resource_requests", Metric: "requests_" + string(op), Op: op, By: []string{"namespace", "label_l0"}, Joined: true,
		})
	}
	n.Aggregates = append(n.Aggregates,
		naming.Aggregate{
			Family: "kube_pod_container_resource_requests", Op: naming.Latest, By: []string{"namespace"},
			Check: &naming.Check{Name: "greatest", By: "container", Statuses: map[string]naming.Status{"c1": naming.Critical}},
			Adjust: func(p *naming.Point) bool {
				p.Order = int64(p.Value * 1000)
				return true
			},
		},
		naming.Aggregate{Family: "kube_pod_info", Metric: "owned", Op: naming.Count, By: []string{"namespace", "created_by_kind", "created_by_name"}},
	)
	n.Joins["kube_pod_info"] = naming.Join{Match: []string{"namespace"}, Get: []string{"uid"}} // many sources for each
	n.Owners = &naming.Owners{Tags: map[string]string{"ReplicaSet": "rs", "Deployment": "deploy", "DaemonSet": "ds"}}
	n.Tracker = func(func() time.Time) naming.Tracker { return tracker }
	n.Rules = append(n.Rules, naming.Rule{Family: "test_pod_size", Metric: "size"})
	return n
}

// sizes is a Tracker of the lengths of Pod names.
type sizes struct{ known map[string]*naming.Moving }

func (s *sizes) Extend(t *kind.Table) (*kind.Table, error) {
	if t.Name != "pods" {
		return t, nil
	}
	d := metric.Desc{Name: "test_pod_size", Type: metric.Gauge, Stability: metric.Alpha, Help: "How long the name is.", Beyond: true}
	return kind.Extend(t, kind.NewRow(d, func(*corev1.Pod, *metric.Emitter) {}).Reading("metadata.name"))
}

func (s *sizes) Put(_ string, o kind.Object, emit func(naming.Tracked)) {
	k := o.GetNamespace() + "/" + o.GetName()
	m, ok := s.known[k]
	if !ok {
		m = &naming.Moving{}
		m.Set(float64(len(o.GetName())))
		if s.known == nil {
			s.known = map[string]*naming.Moving{}
		}
		s.known[k] = m
	}
	emit(naming.Tracked{Family: "test_pod_size", Value: m})
}

func (s *sizes) Delete(_, namespace, name string) { delete(s.known, namespace+"/"+name) }

// totalsOf returns the lines that wantTotals produces too.
func totalsOf(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool {
		return !strings.HasPrefix(l, "requests_") && !strings.HasPrefix(l, "owned ") && !strings.HasPrefix(l, "check greatest ")
	})
}

// request is the CPU request of a container in millicores.
type request struct {
	container string
	milli     int64
}

// wantTotals computes the aggregations of modelled from the objects themselves.
func (c *cluster) wantTotals() []string {
	var lines []string
	byLabel, byNamespace, owned := map[[2]string][]request{}, map[string][]request{}, map[[2]string]int{}
	for _, o := range c.visible() {
		p, ok := o.(*corev1.Pod)
		if !ok {
			continue
		}
		owner := ""
		if len(p.OwnerReferences) > 0 {
			owner = p.OwnerReferences[0].Kind
		}
		owned[[2]string{p.Namespace, owner}]++
		for i := range p.Spec.Containers {
			r := request{p.Spec.Containers[i].Name, p.Spec.Containers[i].Resources.Requests.Cpu().MilliValue()}
			k := [2]string{p.Namespace, p.Labels["l0"]}
			byLabel[k] = append(byLabel[k], r)
			byNamespace[p.Namespace] = append(byNamespace[p.Namespace], r)
		}
	}
	for k, all := range byLabel {
		tags := c.tagsOf(k[0], "label_l0:"+k[1])
		for op, v := range figures(all) {
			lines = append(lines, fmt.Sprintf("requests_%s %s%s", op, strconv.FormatFloat(v, 'g', -1, 64), tags))
		}
	}
	for namespace, all := range byNamespace {
		greatest := slices.MaxFunc(all, func(a, b request) int {
			return cmp.Or(cmp.Compare(a.milli, b.milli), strings.Compare(a.container, b.container))
		})
		status := map[string]string{"c0": "ok", "c1": "critical"}[greatest.container]
		lines = append(lines, fmt.Sprintf(`check greatest %s ""%s`, status, c.tagsOf(namespace)))
	}
	for k, n := range owned {
		tags := map[string][]string{"ReplicaSet": {"rs:web-6b8f7d9c5", "deploy:web"}, "DaemonSet": {"ds:logs"}}[k[1]]
		lines = append(lines, fmt.Sprintf("owned %d%s", n, c.tagsOf(k[0], tags...)))
	}
	slices.Sort(lines)
	return lines
}

// figures returns the aggregations of requests, by operation.
func figures(all []request) map[naming.Op]float64 {
	sum := new(big.Float).SetPrec(400)
	var values []float64
	for _, r := range all {
		v := float64(r.milli) / 1000
		sum.Add(sum, big.NewFloat(v))
		values = append(values, v)
	}
	total, _ := sum.Float64()
	return map[naming.Op]float64{
		naming.Sum: total, naming.Count: float64(len(all)), naming.Min: slices.Min(values), naming.Max: slices.Max(values),
	}
}

// tagsOf returns the tags of an aggregation of a namespace as in lines: its own, and the
// joined ones, which are the labels of the namespace and the UIDs of its Pods. As the join
// gets all labels, these are not compared with its own.
func (c *cluster) tagsOf(namespace string, own ...string) string {
	var tags []string
	for _, o := range c.visible() {
		switch o := o.(type) {
		case *corev1.Pod:
			if o.Namespace == namespace {
				tags = append(tags, "uid:"+string(o.UID))
			}
		case *corev1.Namespace:
			if o.Name == namespace {
				for k, v := range o.Labels {
					tags = append(tags, "label_"+k+":"+v)
				}
			}
		}
	}
	slices.Sort(tags)
	tags = append(slices.Compact(tags), own...)
	slices.Sort(tags)
	return " {namespace:" + namespace + "}" + strings.Join(append([]string{""}, tags...), " ")
}
