package prometheus

import "fmt"

const (
	ofDeployment = "pod-template-hash"
	ofRollout    = "rollouts-pod-template-hash"
)

// agreements are the situations in which the rules and the family agree; app is a name
// unique among the applications of the namespace.
var agreements = map[string]func(s *situation, app string){
	"Pod without owner": func(s *situation, _ string) { s.both(s.somePods(nil), "", "barepod") },
	"Pod that its ReplicaSet released": func(s *situation, _ string) {
		_, l := s.hash(ofDeployment)
		s.both(s.somePods(l), "", "barepod")
	},
	"static Pod":  func(s *situation, app string) { s.both(s.somePods(nil, by("Node", app)), "", "staticpod") },
	"DaemonSet":   func(s *situation, app string) { s.both(s.somePods(nil, by("DaemonSet", app)), app, "daemonset") },
	"StatefulSet": func(s *situation, app string) { s.both(s.somePods(nil, by("StatefulSet", app)), app, "statefulset") },
	"ReplicationController": func(s *situation, app string) {
		s.both(s.somePods(nil, by("ReplicationController", app)), app, "ReplicationController")
	},
	"custom resource": func(s *situation, app string) { s.both(s.somePods(nil, by("Workflow", app)), app, "Workflow") },
	"Deployment": func(s *situation, app string) {
		for range 1 + s.random.IntN(3) {
			revision, l := s.hash(ofDeployment)
			name := app + "-" + revision
			s.replicaSet(name, l, by("Deployment", app))
			s.both(s.somePods(l, by("ReplicaSet", name)), app, "deployment")
		}
	},
	"Deployment whose name ends in the hash": func(s *situation, app string) {
		hash, l := s.hash(ofDeployment)
		app += "-" + hash
		s.replicaSet(app+"-"+hash, l, by("Deployment", app))
		s.both(s.somePods(l, by("ReplicaSet", app+"-"+hash)), app, "deployment")
	},
	"Deployment without hashes": func(s *situation, app string) {
		s.replicaSet(app+"-99", nil, by("Deployment", app))
		s.both(s.somePods(nil, by("ReplicaSet", app+"-99")), app, "deployment")
	},
	"Deployment whose hash is not the end of the name": func(s *situation, app string) {
		l := map[string]string{ofDeployment: "elsewhere"}
		s.replicaSet(app+"-99", l, by("Deployment", app))
		s.both(s.somePods(l, by("ReplicaSet", app+"-99")), app, "deployment")
	},
	"Argo Rollout": func(s *situation, app string) {
		hash, l := s.hash(ofRollout)
		s.replicaSet(app+"-"+hash, l, by("Rollout", app))
		s.both(s.somePods(l, by("ReplicaSet", app+"-"+hash)), app, "Rollout")
	},
	"ReplicaSet of another kind": func(s *situation, app string) {
		s.replicaSet(app+"-1", nil, by("CloneSet", app))
		s.both(s.somePods(nil, by("ReplicaSet", app+"-1")), app, "CloneSet")
	},
	"ReplicaSet alone": func(s *situation, app string) {
		s.replicaSet(app, nil)
		s.both(s.somePods(nil, by("ReplicaSet", app)), app, "replicaset")
	},
	"ReplicaSet named as the hash": func(s *situation, app string) {
		l := map[string]string{ofDeployment: app}
		s.replicaSet(app, l)
		s.both(s.somePods(l, by("ReplicaSet", app)), app, "replicaset")
	},
	"ReplicaSet that is not known": func(s *situation, app string) { s.somePods(nil, by("ReplicaSet", app)) },
	"CronJob": func(s *situation, app string) {
		for range 1 + s.random.IntN(3) {
			name := fmt.Sprintf("%s-%d", app, 29_000_000+len(s.jobs))
			s.job(name, by("CronJob", app))
			s.both(s.somePods(nil, by("Job", name)), app, "CronJob")
		}
	},
	"Job of a custom resource": func(s *situation, app string) {
		s.job(app+"-1", by("ScaledJob", app))
		s.both(s.somePods(nil, by("Job", app+"-1")), app, "ScaledJob")
	},
	"Job of a Pod": func(s *situation, app string) {
		s.job(app, by("Pod", "driver"))
		s.both(s.somePods(nil, by("Job", app)), app, "job")
	},
	"Job alone": func(s *situation, app string) {
		s.job(app)
		s.both(s.somePods(nil, by("Job", app)), app, "job")
	},
	"Job that is not known": func(s *situation, app string) { s.somePods(nil, by("Job", app)) },
	"Pod with several owners": func(s *situation, app string) {
		hash, l := s.hash(ofDeployment)
		s.replicaSet(app+"-"+hash, l, by("Deployment", app))
		s.job(app)
		pods := s.somePods(l, by("ReplicaSet", app+"-"+hash), also("Job", app), also("StatefulSet", app), also("Workflow", app),
			also("ReplicaSet", "unknown"), also("Node", app))
		s.both(pods, app, "deployment")
		s.both(pods, app, "job")
		s.both(pods, app, "statefulset")
		s.both(pods, app, "Workflow")
		s.both(pods, "", "staticpod")
	},
}

// differences are all situations in which the family intentionally differs from the
// rules. Either kubestate does not store the ReplicaSets whose names indicate their
// owners, or it follows one owner of an owner instead of all.
var differences = map[string]func(s *situation, app string){
	// The rules do not know a deleted ReplicaSet; its name still indicates the owner.
	"ReplicaSet of a Deployment that is not known": func(s *situation, app string) {
		hash, l := s.hash(ofDeployment)
		s.familyOnly(s.somePods(l, by("ReplicaSet", app+"-"+hash)), app, "deployment")
	},
	"ReplicaSet of a Rollout that is not known": func(s *situation, app string) {
		hash, l := s.hash(ofRollout)
		s.familyOnly(s.somePods(l, by("ReplicaSet", app+"-"+hash)), app, "Rollout")
	},
	// kubectl delete deployment --cascade=orphan: the name indicates the former owner.
	"ReplicaSet that a Deployment left behind": func(s *situation, app string) {
		hash, l := s.hash(ofDeployment)
		s.replicaSet(app+"-"+hash, l)
		pods := s.somePods(l, by("ReplicaSet", app+"-"+hash))
		s.rulesOnly(pods, app+"-"+hash, "replicaset")
		s.familyOnly(pods, app, "deployment")
	},
	// A Deployment adopts ReplicaSets that match its selector.
	"ReplicaSet that another Deployment adopted": func(s *situation, app string) {
		hash, l := s.hash(ofDeployment)
		s.replicaSet(app+"-"+hash, l, by("Deployment", "heir-of-"+app))
		pods := s.somePods(l, by("ReplicaSet", app+"-"+hash))
		s.rulesOnly(pods, "heir-of-"+app, "deployment")
		s.familyOnly(pods, app, "deployment")
	},
	// The label is part of the selector of a Deployment's ReplicaSet, so only Pods of a
	// manually created one can lack it.
	"ReplicaSet with a hash that its Pods lack": func(s *situation, app string) {
		hash, l := s.hash(ofDeployment)
		s.replicaSet(app+"-"+hash, l, by("Deployment", app))
		s.rulesOnly(s.somePods(nil, by("ReplicaSet", app+"-"+hash)), app, "deployment")
	},
	// The rules return a workload for each kind of owner, the family for the controller
	// or else the first owner.
	"ReplicaSet with several owners": func(s *situation, app string) {
		s.replicaSet(app+"-1", nil, also("ConfigMap", app), by("Deployment", app))
		pods := s.somePods(nil, by("ReplicaSet", app+"-1"))
		s.both(pods, app, "deployment")
		s.rulesOnly(pods, app, "ConfigMap")
	},
	"Job with several owners": func(s *situation, app string) {
		s.job(app+"-1", also("Pod", "driver"), also("CronJob", app))
		pods := s.somePods(nil, by("Job", app+"-1"))
		s.both(pods, app+"-1", "job")
		s.rulesOnly(pods, app, "CronJob")
	},
}
