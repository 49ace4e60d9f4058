package cluster

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// serviceAccountMount is where every container finds its token.
const serviceAccountMount = "/var/run/secrets/kubernetes.io/serviceaccount"

// template makes the pod template of a workload.
func (g *generator) template(namespace, app string) corev1.PodTemplateSpec {
	access := "kube-api-access-" + g.suffix(5)
	t := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Labels: map[string]string{
				"app.kubernetes.io/name":       app,
				"app.kubernetes.io/instance":   app,
				"app.kubernetes.io/version":    fmt.Sprintf("%d.%d.%d", g.rand.IntN(4), g.rand.IntN(40), g.rand.IntN(10)),
				"app.kubernetes.io/managed-by": "Helm",
				"team":                         namespace,
			},
			Annotations: map[string]string{
				"checksum/config":      g.digest()[len("sha256:"):],
				"prometheus.io/port":   "8080",
				"prometheus.io/scrape": "true",
			},
		},
		Spec: corev1.PodSpec{
			Volumes:                       g.volumes(app, access),
			Containers:                    []corev1.Container{g.container(app, app, access)},
			RestartPolicy:                 corev1.RestartPolicyAlways,
			TerminationGracePeriodSeconds: new(int64(30)),
			DNSPolicy:                     corev1.DNSClusterFirst,
			ServiceAccountName:            app,
			DeprecatedServiceAccount:      app,
			SecurityContext:               &corev1.PodSecurityContext{RunAsNonRoot: new(true), FSGroup: new(int64(2000))},
			SchedulerName:                 corev1.DefaultSchedulerName,
			Tolerations:                   defaultTolerations(),
			Priority:                      new(int32(0)),
			EnableServiceLinks:            new(true),
			PreemptionPolicy:              new(corev1.PreemptLowerPriority),
		},
	}
	g.vary(&t.Spec, app, access)
	return t
}

// vary gives some templates more than one plain container.
func (g *generator) vary(spec *corev1.PodSpec, app, access string) {
	for _, sidecar := range sidecars() {
		if g.chance(0.12) {
			spec.Containers = append(spec.Containers, g.container(sidecar, app, access))
		}
	}
	if g.chance(0.25) {
		migrate := g.container("migrate", app, access)
		migrate.LivenessProbe, migrate.ReadinessProbe = nil, nil // only containers that run for ever are probed
		spec.InitContainers = append(spec.InitContainers, migrate)
	}
	if g.chance(0.05) {
		sidecar := g.container("mesh-proxy", app, access)
		sidecar.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		spec.InitContainers = append(spec.InitContainers, sidecar)
	}
	if g.chance(0.1) {
		spec.NodeSelector = map[string]string{"example.com/node-pool": "general"}
	}
	if g.chance(0.1) {
		spec.PriorityClassName, spec.Priority = "business-critical", new(int32(100_000))
	}
	if g.chance(0.3) {
		spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.ScheduleAnyway,
			LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": app}},
		}}
	}
}

func defaultTolerations() []corev1.Toleration {
	return []corev1.Toleration{
		{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(300))},
		{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(300))},
	}
}

// volumes are a config map, scratch space, sometimes a secret, and the token
// that admission adds to every pod.
func (g *generator) volumes(app, access string) []corev1.Volume {
	volumes := []corev1.Volume{
		{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: app + "-config"}, DefaultMode: new(int32(0o644))}}},
		{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
	}
	if g.chance(0.3) {
		volumes = append(volumes, corev1.Volume{Name: "credentials", VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: app + "-credentials", DefaultMode: new(int32(0o600))}}})
	}
	return append(volumes, corev1.Volume{Name: access, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		DefaultMode: new(int32(0o644)),
		Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{ExpirationSeconds: new(int64(3607)), Path: "token"}},
			{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
				Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}}}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{
				Path: "namespace", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"}}}}},
		},
	}}})
}

func (g *generator) container(name, app, access string) corev1.Container {
	probe := func(path string, delay int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
				Path: path, Port: intstr.FromString("http"), Scheme: corev1.URISchemeHTTP}},
			InitialDelaySeconds: delay, TimeoutSeconds: 1, PeriodSeconds: 10, SuccessThreshold: 1, FailureThreshold: 3,
		}
	}
	c := corev1.Container{
		Name:            name,
		Image:           fmt.Sprintf("%s/%s-%s:v%d.%d.%d", g.pick(registries()), app, name, g.rand.IntN(4), g.rand.IntN(40), g.rand.IntN(10)),
		Args:            []string{"--config=/etc/app/config.yaml", "--listen=:8080", "--log.level=info"},
		Ports:           []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
		Env:             g.environment(app),
		Resources:       g.resources(),
		LivenessProbe:   probe("/healthz", 15),
		ReadinessProbe:  probe("/readyz", 5),
		ImagePullPolicy: corev1.PullIfNotPresent,
		VolumeMounts: []corev1.VolumeMount{
			{Name: "config", ReadOnly: true, MountPath: "/etc/app"},
			{Name: "tmp", MountPath: "/tmp"},
			{Name: access, ReadOnly: true, MountPath: serviceAccountMount},
		},
		TerminationMessagePath:   corev1.TerminationMessagePathDefault,
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
	return c
}

func (g *generator) environment(app string) []corev1.EnvVar {
	env := []corev1.EnvVar{
		{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.name"}}},
		{Name: "POD_IP", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"}}},
	}
	for _, name := range environmentVariables() {
		if g.chance(0.2) {
			env = append(env, corev1.EnvVar{Name: name, Value: app + "." + g.pick(teams()) + ".svc.cluster.local"})
		}
	}
	return env
}

// resources gives most containers requests and limits, some only requests and
// some neither.
func (g *generator) resources() corev1.ResourceRequirements {
	cpu := *resource.NewMilliQuantity(int64(10+10*g.rand.IntN(100)), resource.DecimalSI)
	memory := *resource.NewQuantity(int64(32+32*g.rand.IntN(64))<<20, resource.BinarySI)
	r := corev1.ResourceRequirements{}
	if g.chance(0.9) {
		r.Requests = corev1.ResourceList{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory}
	}
	if g.chance(0.7) {
		r.Limits = corev1.ResourceList{corev1.ResourceMemory: memory}
	}
	return r
}

// age draws how long ago something was made that is younger than its parent.
func (g *generator) age(parent metav1.Time, atMost time.Duration) metav1.Time {
	limit := min(g.Time.Sub(parent.Time), atMost)
	if limit <= time.Second {
		return g.ago(0)
	}
	return g.ago(g.between(0, limit))
}
