package apiserver

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// printer shows the objects of one kind as rows of a Table.
type printer struct {
	columns []metav1.TableColumnDefinition
	cells   func(o Object, now time.Time) []any
}

// show declares the columns of a kind and the cells of its objects. A column is
// its name, followed by "/integer" or "/boolean" unless it is a string, and preceded
// by "+" if kubectl shows it with -o wide only. The Name and Age columns are filled in.
func show[T Object](columns string, cells func(o T, now time.Time) []any) printer {
	p := printer{}
	for text := range strings.SplitSeq(columns, ",") {
		c := metav1.TableColumnDefinition{Type: "string"}
		text, wide := strings.CutPrefix(text, "+")
		if wide {
			c.Priority = 1
		}
		if name, kind, ok := strings.Cut(text, "/"); ok {
			text, c.Type = name, kind
		}
		if c.Name = text; text == "Name" {
			c.Format = "name"
		}
		p.columns = append(p.columns, c)
	}
	p.cells = func(o Object, now time.Time) []any {
		others, row := cells(o.(T), now), make([]any, 0, len(p.columns))
		for i := range p.columns {
			switch p.columns[i].Name {
			case "Name":
				row = append(row, displayName(o))
			case "Age":
				row = append(row, since(o.GetCreationTimestamp(), now))
			default:
				row, others = append(row, others[0]), others[1:]
			}
		}
		return row
	}
	return p
}

func displayName(o Object) string {
	if o.GetAnnotations()["storageclass.kubernetes.io/is-default-class"] == "true" {
		return o.GetName() + " (default)"
	}
	return o.GetName()
}

// nothing is the printer of kinds that have only the columns Name and Age.
func nothing(Object, time.Time) []any { return nil }

// printers returns the printers of the kinds, by resource, with the columns and cells of
// kube-apiserver 1.37. Custom resources have the columns Name and Age.
func printers() map[string]printer { //nolint:funlen // a table
	return map[string]printer{
		"": show("Name,Age", nothing),
		"namespaces": show("Name,Status,Age", func(o *corev1.Namespace, _ time.Time) []any {
			return []any{o.Status.Phase}
		}),
		"nodes": show("Name,Status,Roles,Age,Version,+Internal-IP,+External-IP,+OS-Image,+Kernel-Version,+Container-Runtime", nodeCells),
		"pods":  show("Name,Ready,Status,Restarts,Age,+IP,+Node,+Nominated Node,+Readiness Gates", podCells),
		"services": show("Name,Type,Cluster-IP,External-IP,Port(s),Age,+Selector", func(o *corev1.Service, _ time.Time) []any {
			return []any{o.Spec.Type, orNone(first(o.Spec.ClusterIPs)), externalIP(o), servicePorts(o.Spec.Ports), labels.FormatLabels(o.Spec.Selector)}
		}),
		"configmaps": show("Name,Data,Age", func(o *corev1.ConfigMap, _ time.Time) []any {
			return []any{len(o.Data) + len(o.BinaryData)}
		}),
		"secrets": show("Name,Type,Data,Age", func(o *corev1.Secret, _ time.Time) []any {
			return []any{o.Type, len(o.Data)}
		}),
		"persistentvolumeclaims": show("Name,Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age,+VolumeMode", claimCells),
		"persistentvolumes": show("Name,Capacity,Access Modes,Reclaim Policy,Status,Claim,StorageClass,VolumeAttributesClass,Reason,Age,+VolumeMode",
			volumeCells),
		"resourcequotas": show("Name,Request,Limit,Age", func(o *corev1.ResourceQuota, _ time.Time) []any {
			return quotaCells(o)
		}),
		"limitranges": show("Name,Created At", func(o *corev1.LimitRange, _ time.Time) []any {
			return []any{o.CreationTimestamp.UTC().Format(time.RFC3339)}
		}),
		"deployments": show("Name,Ready,Up-to-date,Available,Age,+Containers,+Images,+Selector", func(o *appsv1.Deployment, _ time.Time) []any {
			return append([]any{ratio(o.Status.ReadyReplicas, replicas(o.Spec.Replicas)), o.Status.UpdatedReplicas, o.Status.AvailableReplicas},
				templateCells(&o.Spec.Template, o.Spec.Selector)...)
		}),
		"replicasets": show("Name,Desired/integer,Current/integer,Ready/integer,Age,+Containers,+Images,+Selector",
			func(o *appsv1.ReplicaSet, _ time.Time) []any {
				return append([]any{replicas(o.Spec.Replicas), o.Status.Replicas, o.Status.ReadyReplicas},
					templateCells(&o.Spec.Template, o.Spec.Selector)...)
			}),
		"daemonsets": show("Name,Desired/integer,Current/integer,Ready/integer,Up-to-date/integer,Available/integer,Node Selector,Age,+Containers,+Images,+Selector",
			func(o *appsv1.DaemonSet, _ time.Time) []any {
				s := &o.Status
				return append([]any{s.DesiredNumberScheduled, s.CurrentNumberScheduled, s.NumberReady, s.UpdatedNumberScheduled, s.NumberAvailable,
					labels.FormatLabels(o.Spec.Template.Spec.NodeSelector)}, templateCells(&o.Spec.Template, o.Spec.Selector)...)
			}),
		"statefulsets": show("Name,Ready,Age,+Containers,+Images", func(o *appsv1.StatefulSet, _ time.Time) []any {
			return append([]any{ratio(o.Status.ReadyReplicas, replicas(o.Spec.Replicas))}, templateCells(&o.Spec.Template, nil)[:2]...)
		}),
		"jobs": show("Name,Status,Completions,Duration,Age,+Containers,+Images,+Selector", func(o *batchv1.Job, now time.Time) []any {
			return append([]any{jobStatus(o), completions(o), jobDuration(o, now)}, templateCells(&o.Spec.Template, o.Spec.Selector)...)
		}),
		"cronjobs": show("Name,Schedule,Timezone,Suspend/boolean,Active/integer,Last Schedule,Age,+Containers,+Images,+Selector", cronJobCells),
		"horizontalpodautoscalers": show("Name,Reference,Targets,MinPods,MaxPods,Replicas,Age", func(o *autoscalingv2.HorizontalPodAutoscaler, _ time.Time) []any {
			return []any{o.Spec.ScaleTargetRef.Kind + "/" + o.Spec.ScaleTargetRef.Name, targets(o), orUnset(o.Spec.MinReplicas), o.Spec.MaxReplicas, o.Status.CurrentReplicas}
		}),
		"poddisruptionbudgets": show("Name,Min Available,Max Unavailable,Allowed Disruptions/integer,Age", func(o *policyv1.PodDisruptionBudget, _ time.Time) []any {
			return []any{orNotApplicable(o.Spec.MinAvailable), orNotApplicable(o.Spec.MaxUnavailable), o.Status.DisruptionsAllowed}
		}),
		"ingresses": show("Name,Class,Hosts,Address,Ports,Age", ingressCells),
		"networkpolicies": show("Name,Pod-Selector,Age", func(o *networkingv1.NetworkPolicy, _ time.Time) []any {
			return []any{metav1.FormatLabelSelector(&o.Spec.PodSelector)}
		}),
		"endpointslices": show("Name,AddressType,Ports,Endpoints,Age", func(o *discoveryv1.EndpointSlice, _ time.Time) []any {
			return []any{o.AddressType, slicePorts(o.Ports), sliceAddresses(o.Endpoints)}
		}),
		"leases": show("Name,Holder,Age", func(o *coordinationv1.Lease, _ time.Time) []any {
			return []any{deref(o.Spec.HolderIdentity)}
		}),
		"events":         show("Last Seen,Type,Reason,Object,+Subobject,+Source,Message,+First Seen,+Count,+Name", eventCells),
		"storageclasses": show("Name,Provisioner,ReclaimPolicy,VolumeBindingMode,AllowVolumeExpansion,Age", storageClassCells),
		"volumeattachments": show("Name,Attacher,PV,Node,Attached/boolean,Age", func(o *storagev1.VolumeAttachment, _ time.Time) []any {
			return []any{o.Spec.Attacher, deref(o.Spec.Source.PersistentVolumeName), o.Spec.NodeName, o.Status.Attached}
		}),
	}
}
