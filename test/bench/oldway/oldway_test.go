package oldway_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/test/bench/oldway"
)

// body has one example of every way to create points.
const body = `# TYPE kube_pod_info gauge
kube_pod_info{namespace="a",pod="web-6f7d8c-x",uid="u1",node="n1",created_by_kind="ReplicaSet",created_by_name="web-6f7d8c",priority_class=""} 1
kube_pod_info{namespace="a",pod="job-12345-y",uid="u2",node="n1",created_by_kind="Job",created_by_name="job-12345",priority_class="high"} 1
# TYPE kube_pod_labels gauge
kube_pod_labels{namespace="a",pod="web-6f7d8c-x",uid="u1",label_app_kubernetes_io_name="web",label_rollouts_pod_template_hash="6f7d8c"} 1
# TYPE kube_pod_status_phase gauge
kube_pod_status_phase{namespace="a",pod="web-6f7d8c-x",uid="u1",phase="Running"} 1
kube_pod_status_phase{namespace="a",pod="web-6f7d8c-x",uid="u1",phase="Pending"} 0
# TYPE kube_pod_created gauge
kube_pod_created{namespace="a",pod="job-12345-y",uid="u2"} 900
# TYPE kube_pod_container_status_restarts_total counter
kube_pod_container_status_restarts_total{namespace="a",pod="web-6f7d8c-x",uid="u1",container="c"} 3
# TYPE kube_pod_container_status_waiting_reason gauge
kube_pod_container_status_waiting_reason{namespace="b",pod="p",uid="u3",container="c",reason="CrashLoopBackOff"} 1
kube_pod_container_status_waiting_reason{namespace="b",pod="p",uid="u3",container="c",reason="Strange"} 1
# TYPE kube_pod_container_resource_limits gauge
kube_pod_container_resource_limits{namespace="b",pod="p",uid="u3",container="c",node="n1",resource="nvidia_com_mig_1g_5gb",unit="integer"} 2
kube_pod_container_resource_limits{namespace="b",pod="p",uid="u3",container="c",node="n1",resource="hugepages_2Mi",unit="byte"} 2
# TYPE kube_node_labels gauge
kube_node_labels{node="n1",label_topology_kubernetes_io_zone="z"} 1
# TYPE kube_node_status_condition gauge
kube_node_status_condition{node="n1",condition="Ready",status="true"} 0
kube_node_status_condition{node="n1",condition="Ready",status="false"} 1
kube_node_status_condition{node="n1",condition="MemoryPressure",status="false"} 1
kube_node_status_condition{node="n1",condition="Other",status="unknown"} 1
# TYPE kube_node_spec_unschedulable gauge
kube_node_spec_unschedulable{node="n1"} 1
# TYPE kube_node_status_allocatable gauge
kube_node_status_allocatable{node="n1",resource="cpu",unit="core"} 4
kube_node_status_allocatable{node="n2",resource="cpu",unit="core"} 8
# TYPE kube_job_complete gauge
kube_job_complete{namespace="a",job_name="job-12345",condition="true"} 1
kube_job_complete{namespace="a",job_name="job-12345",condition="false"} 0
# TYPE kube_job_failed gauge
kube_job_failed{namespace="a",job_name="job-12346",condition="true"} 1
# TYPE kube_job_status_failed gauge
kube_job_status_failed{namespace="a",job_name="job-12346",reason="DeadlineExceeded"} 1
kube_job_status_failed{namespace="a",job_name="job-12346",reason="Evicted"} 0
# TYPE kube_ingress_path gauge
kube_ingress_path{namespace="a",ingress="i",host="h",path="/",service_name="s",service_port="80"} 1
# TYPE kube_service_spec_type gauge
kube_service_spec_type{namespace="a",service="s",uid="u4",type="ClusterIP"} 1
# TYPE kube_endpointslice_endpoints gauge
kube_endpointslice_endpoints{namespace="a",endpointslice="e",ready="false",address="10.0.0.1"} 1
# TYPE kube_resourcequota gauge
kube_resourcequota{namespace="a",resourcequota="q",resource="requests.cpu",type="hard"} 5
# TYPE kube_limitrange gauge
kube_limitrange{namespace="a",limitrange="l",resource="cpu",type="Container",constraint="defaultRequest"} 0.1
# TYPE kube_cronjob_next_schedule_time gauge
kube_cronjob_next_schedule_time{namespace="a",cronjob="late"} 999
# TYPE kube_pod_status_qos_class gauge
kube_pod_status_qos_class{namespace="a",pod="web-6f7d8c-x",uid="u1",qos_class="Burstable"} 1
`

// want is the result according to the specification of the check.
const want = `
container.gpu_limit 2 @n1 kube_container_name:c kube_namespace:b kube_zone:z mig_profile:1g-5gb node:n1 pod_name:p resource:nvidia_com_mig_1g_5gb uid:u3 unit:integer
container.restarts 3 @n1 kube_app_name:web kube_argo_rollout:web kube_container_name:c kube_deployment:web kube_namespace:a kube_replica_set:web-6f7d8c node:n1 pod_name:web-6f7d8c-x pod_phase:Running uid:u1
container.status_report.count.waiting 1 kube_container_name:c kube_namespace:b pod_name:p reason:CrashLoopBackOff uid:u3
cronjob.complete = 2 kube_cronjob:job kube_namespace:a
cronjob.on_schedule_check = 2 kube_cronjob:late kube_namespace:a
endpointslice.address_not_ready 1 address:10.0.0.1 kube_endpointslice:e kube_namespace:a
ingress.path 1 kube_ingress:i kube_ingress_host:h kube_ingress_path:/ kube_namespace:a kube_service:s kube_service_port:80
job.complete = 0 kube_cronjob:job kube_job:job-12345 kube_namespace:a
job.complete = 2 kube_cronjob:job kube_job:job-12346 kube_namespace:a
job.completion.failed 1 kube_cronjob:job kube_job:job-12346 kube_namespace:a
job.completion.succeeded 0 condition:false kube_cronjob:job kube_job:job-12345 kube_namespace:a
job.completion.succeeded 1 kube_cronjob:job kube_job:job-12345 kube_namespace:a
job.failed 1 kube_cronjob:job kube_job:job-12346 kube_namespace:a reason:DeadlineExceeded
limitrange.cpu.default_request 0.1 constraint:defaultRequest kube_namespace:a limitrange:l resource:cpu type:Container
node.by_condition 1 @n1 condition:MemoryPressure kube_zone:z node:n1 status:false
node.by_condition 1 @n1 condition:Other kube_zone:z node:n1 status:unknown
node.by_condition 1 @n1 condition:Ready kube_zone:z node:n1 status:false
node.cpu_allocatable 4 @n1 kube_zone:z node:n1 resource:cpu unit:core
node.cpu_allocatable 8 @n2 node:n2 resource:cpu unit:core
node.cpu_allocatable.total 12
node.memory_pressure = 0 @n1 condition:MemoryPressure kube_zone:z node:n1 status:false
node.ready = 2 @n1 condition:Ready kube_zone:z node:n1 status:false
node.status 1 @n1 kube_zone:z node:n1 status:unschedulable
pod.age 100 @n1 kube_cronjob:job kube_job:job-12345 kube_namespace:a kube_priority_class:high node:n1 pod_name:job-12345-y uid:u2
pod.count 1 @n1 kube_cronjob:job kube_job:job-12345 kube_namespace:a kube_zone:z node:n1
pod.count 1 @n1 kube_deployment:web kube_namespace:a kube_replica_set:web-6f7d8c kube_zone:z node:n1
pod.status_phase 1 @n1 kube_app_name:web kube_argo_rollout:web kube_deployment:web kube_namespace:a kube_replica_set:web-6f7d8c node:n1 pod_name:web-6f7d8c-x pod_phase:Running uid:u1
resourcequota.requests.cpu.limit 5 kube_namespace:a resource:requests.cpu resourcequota:q type:hard
service.count 1 kube_namespace:a type:ClusterIP
service.type 1 kube_namespace:a kube_service:s type:ClusterIP uid:u4
`

func TestRun(t *testing.T) {
	got := points(t, body)
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(want), "\n"), got); diff != "" {
		t.Error(diff)
	}
}

// points returns the points of a run as sorted lines. A tag that a series and a join
// have in common occurs once.
func points(t *testing.T, body string) []string {
	t.Helper()
	var all []string
	_, err := oldway.New().Run(strings.NewReader(body), time.Unix(1000, 0), func(p oldway.Point) {
		var b bytes.Buffer
		b.WriteString(strings.TrimPrefix(p.Name, "kubernetes_state."))
		if p.Service {
			b.WriteString(" =")
		}
		fmt.Fprintf(&b, " %v", p.Value)
		if p.Host != "" {
			b.WriteString(" @" + p.Host)
		}
		slices.Sort(p.Tags)
		for _, tag := range slices.Compact(p.Tags) {
			b.WriteString(" " + tag)
		}
		all = append(all, b.String())
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func TestRunError(t *testing.T) {
	if _, err := oldway.New().Run(strings.NewReader("kube_pod_info{ 1\n"), time.Now(), nil); err == nil {
		t.Error("no error for a body that does not parse")
	}
}

// The Exporter serves everything that is joined or mapped.
func TestConfig(t *testing.T) {
	c := oldway.Config()
	if got := len(c.Labels["pods"]); got != 11 {
		t.Errorf("%d labels of pods, want the standard ones and that of rollouts", got)
	}
	for _, resource := range []string{"ingresses", "horizontalpodautoscalers", "endpoints"} {
		if len(c.Labels[resource]) != 1 {
			t.Errorf("%s are counted by a family that has no samples without labels: %v", resource, c.Labels[resource])
		}
	}
}
