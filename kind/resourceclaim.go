package kind

import (
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type resourceClaim = resourcev1.ResourceClaim

var deviceRequest = label("request", "name of the request in the claim, with / and the name of the alternative if it has several")

// ResourceClaims is the table of resource.k8s.io/v1 ResourceClaim.
var ResourceClaims = define(Kind[resourceClaim]{
	Resource: Resource{
		Group: "resource.k8s.io", Version: "v1", Older: []string{"v1beta2"},
		Name: "resourceclaims", Kind: "ResourceClaim", Namespaced: true, NotDefault: true,
	},
	Identity: labels{namespace, label("resourceclaim", "name of the ResourceClaim")},
	Reads: []string{
		"metadata.ownerReferences",
		"spec.devices.requests.name",
		"spec.devices.requests.{exactly,firstAvailable}.{deviceClassName,allocationMode,count}",
		"spec.devices.requests.firstAvailable.name",
		"status.allocation.allocationTimestamp",
		"status.allocation.devices.results.{request,driver,pool,device,shareID}",
		"status.reservedFor",
	},
	Begin: func(c *resourceClaim, e *metric.Emitter, s *metric.Schema) { e.Begin(s, c.Namespace, c.Name) },
	Rows: []Row[resourceClaim]{
		beyond(timestamp("kube_resourceclaim_created", alpha, "When the ResourceClaim was created, in Unix seconds.",
			func(c *resourceClaim) *metav1.Time { return &c.CreationTimestamp })),
		beyond(timestamp("kube_resourceclaim_deletion_timestamp", alpha, "When the deletion of the ResourceClaim was asked for, in Unix seconds.",
			func(c *resourceClaim) *metav1.Time { return c.DeletionTimestamp })),
		beyond(each("kube_resourceclaim_owner", alpha, "One series per owner reference, or one with empty owner labels; always 1.", ownerLabels,
			func(c *resourceClaim, e *metric.Emitter) { owners(c.OwnerReferences, e) })),
		beyond(each("kube_resourceclaim_spec_device_request_info", alpha, "One series of value 1 per request for devices, or per alternative of a request that has several.", labels{
			deviceRequest,
			label("deviceclass", "name of the DeviceClass"),
			label("allocation_mode", "which devices are asked for: ExactCount of those that fit, or All"),
		}, deviceRequestInfo)),
		beyond(each("kube_resourceclaim_spec_device_request_count", alpha, "Devices that a request asks for; absent if it asks for all that fit.",
			labels{deviceRequest}, deviceRequestCount)),
		beyond(info("kube_resourceclaim_status", alpha, "How far the ResourceClaim is; always 1.",
			label("state", "pending without devices, allocated with devices that nobody may use yet, or in_use"), claimState)),
		beyond(truth("kube_resourceclaim_status_allocated", alpha, "1 if the ResourceClaim has been given devices, else 0.",
			func(c *resourceClaim) bool { return c.Status.Allocation != nil })),
		beyond(timestamp("kube_resourceclaim_status_allocation_time", alpha, "When the ResourceClaim was given devices, in Unix seconds.", allocationTime)),
		beyond(each("kube_resourceclaim_status_allocated_devices", alpha, "Devices that the ResourceClaim has been given; absent before.", nil,
			func(c *resourceClaim, e *metric.Emitter) {
				if a := c.Status.Allocation; a != nil {
					e.Add(float64(len(a.Devices.Results)))
				}
			})),
		beyond(each("kube_resourceclaim_status_allocated_device_info", alpha, "One series of value 1 per device that the ResourceClaim has been given.", labels{
			deviceRequest, deviceDriver, devicePool, deviceName,
			label("share_id", "which share of the device, if it can be given to several claims at once"),
		}, allocatedDevices)),
		beyond(each("kube_resourceclaim_status_reserved_for", alpha, "One series of value 1 per consumer that may use the ResourceClaim at present.", labels{
			label("consumer_api_group", "API group of the consumer; empty for the core group"),
			label("consumer_resource", "resource of the consumer, for example pods"),
			label("consumer_name", "name of the consumer, which is in the namespace of the ResourceClaim"),
			label("consumer_uid", "UID of the consumer"),
		}, reservedFor)),
		beyond(annotationsOf("kube_resourceclaim_annotations", alpha, "ResourceClaim annotations selected by --metric-annotations-allowlist.",
			func(c *resourceClaim) map[string]string { return c.Annotations })),
		beyond(labelsOf("kube_resourceclaim_labels", alpha, "ResourceClaim labels selected by --metric-labels-allowlist.",
			func(c *resourceClaim) map[string]string { return c.Labels })),
	},
})

func deviceRequestInfo(c *resourceClaim, e *metric.Emitter) {
	for i := range c.Spec.Devices.Requests {
		r := &c.Spec.Devices.Requests[i]
		if x := r.Exactly; x != nil {
			e.Add(1, r.Name, x.DeviceClassName, string(x.AllocationMode))
		}
		for j := range r.FirstAvailable {
			a := &r.FirstAvailable[j]
			e.Add(1, e.Concat(r.Name, "/", a.Name), a.DeviceClassName, string(a.AllocationMode))
		}
	}
}

func deviceRequestCount(c *resourceClaim, e *metric.Emitter) {
	for i := range c.Spec.Devices.Requests {
		r := &c.Spec.Devices.Requests[i]
		if x := r.Exactly; x != nil && x.AllocationMode != resourcev1.DeviceAllocationModeAll {
			e.Add(float64(x.Count), r.Name)
		}
		for j := range r.FirstAvailable {
			if a := &r.FirstAvailable[j]; a.AllocationMode != resourcev1.DeviceAllocationModeAll {
				e.Add(float64(a.Count), e.Concat(r.Name, "/", a.Name))
			}
		}
	}
}

func claimState(c *resourceClaim) string {
	switch {
	case c.Status.Allocation == nil:
		return "pending"
	case len(c.Status.ReservedFor) == 0:
		return "allocated"
	default:
		return "in_use"
	}
}

func allocationTime(c *resourceClaim) *metav1.Time {
	if c.Status.Allocation == nil {
		return nil
	}
	return c.Status.Allocation.AllocationTimestamp
}

func allocatedDevices(c *resourceClaim, e *metric.Emitter) {
	if c.Status.Allocation == nil {
		return
	}
	results := c.Status.Allocation.Devices.Results
	for i := range results {
		d := &results[i]
		e.Add(1, d.Request, d.Driver, d.Pool, d.Device, string(valueOr(d.ShareID, "")))
	}
}

func reservedFor(c *resourceClaim, e *metric.Emitter) {
	for i := range c.Status.ReservedFor {
		r := &c.Status.ReservedFor[i]
		e.Add(1, r.APIGroup, r.Resource, r.Name, string(r.UID))
	}
}
