package kind

import (
	"slices"

	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type resourceSlice = resourcev1.ResourceSlice

var (
	sliceOrigin = labels{
		deviceDriver, devicePool,
		label("node", "name of the Node that has the devices; empty if that is not one Node for all"),
	}
	deviceCapacityName = label("capacity", "name of the capacity, with the domain of who defines it if that is not the driver")
)

// ResourceSlices is the table of resource.k8s.io/v1 ResourceSlice.
var ResourceSlices = define(Kind[resourceSlice]{
	Resource: Resource{
		Group: "resource.k8s.io", Version: "v1", Older: []string{"v1beta2"},
		Name: "resourceslices", Kind: "ResourceSlice", NotDefault: true,
	},
	Identity: labels{label("resourceslice", "name of the ResourceSlice")},
	Reads:    []string{"spec.{driver,pool,nodeName}", "spec.devices.{name,capacity,taints}"},
	Begin:    func(r *resourceSlice, e *metric.Emitter, s *metric.Schema) { e.Begin(s, r.Name) },
	Rows: []Row[resourceSlice]{
		beyond(timestamp("kube_resourceslice_created", alpha, "When the ResourceSlice was created, in Unix seconds.",
			func(r *resourceSlice) *metav1.Time { return &r.CreationTimestamp })),
		beyond(each("kube_resourceslice_info", alpha, "Which driver publishes the ResourceSlice and for which pool and Node; always 1.", sliceOrigin,
			func(r *resourceSlice, e *metric.Emitter) {
				e.Add(1, r.Spec.Driver, r.Spec.Pool.Name, valueOr(r.Spec.NodeName, ""))
			})),
		beyond(gauge("kube_resourceslice_spec_pool_generation", alpha, "Generation of the pool that the ResourceSlice describes; slices of older generations do not count.",
			func(r *resourceSlice) int64 { return r.Spec.Pool.Generation })),
		beyond(gauge("kube_resourceslice_spec_pool_resource_slice_count", alpha, "ResourceSlices that the pool has in all at this generation.",
			func(r *resourceSlice) int64 { return r.Spec.Pool.ResourceSliceCount })),
		beyond(each("kube_resourceslice_spec_devices", alpha, "Devices that the ResourceSlice lists.", sliceOrigin,
			func(r *resourceSlice, e *metric.Emitter) {
				e.Add(float64(len(r.Spec.Devices)), r.Spec.Driver, r.Spec.Pool.Name, valueOr(r.Spec.NodeName, ""))
			})),
		beyond(each("kube_resourceslice_spec_device_capacity", alpha, "Capacity of a device, in the unit that its driver uses, which is bytes for memory.", labels{
			deviceDriver, devicePool, deviceName, deviceCapacityName,
		}, deviceCapacity)),
		beyond(each("kube_resourceslice_capacity", alpha, "Capacity of all devices that the ResourceSlice lists, in the unit that their driver uses, which is bytes for memory.",
			append(slices.Clip(sliceOrigin), deviceCapacityName), sliceCapacity)),
		beyond(each("kube_resourceslice_spec_device_taint", alpha, "One series of value 1 per taint that the driver puts on a device.", labels{
			deviceDriver, devicePool, deviceName, taintKey, taintValue,
			label("effect", "what the taint does: None, NoSchedule or NoExecute"),
		}, deviceTaints)),
		beyond(annotationsOf("kube_resourceslice_annotations", alpha, "ResourceSlice annotations selected by --metric-annotations-allowlist.",
			func(r *resourceSlice) map[string]string { return r.Annotations })),
		beyond(labelsOf("kube_resourceslice_labels", alpha, "ResourceSlice labels selected by --metric-labels-allowlist.",
			func(r *resourceSlice) map[string]string { return r.Labels })),
	},
})

func deviceCapacity(r *resourceSlice, e *metric.Emitter) {
	for i := range r.Spec.Devices {
		d := &r.Spec.Devices[i]
		for _, name := range metric.SortedKeys(e, d.Capacity) {
			addQuantity(d.Capacity[resourcev1.QualifiedName(name)].Value, fractional, e, r.Spec.Driver, r.Spec.Pool.Name, d.Name, name)
		}
	}
}

// sliceCapacity emits the sum of a capacity at the first device that has it.
func sliceCapacity(r *resourceSlice, e *metric.Emitter) {
	devices := r.Spec.Devices
	for i := range devices {
		for _, name := range metric.SortedKeys(e, devices[i].Capacity) {
			n := resourcev1.QualifiedName(name)
			if anyHasCapacity(devices[:i], n) {
				continue
			}
			if sum, ok := sumCapacity(devices[i:], n, e); ok {
				e.Add(sum, r.Spec.Driver, r.Spec.Pool.Name, valueOr(r.Spec.NodeName, ""), name)
			}
		}
	}
}

func anyHasCapacity(devices []resourcev1.Device, name resourcev1.QualifiedName) bool {
	return slices.ContainsFunc(devices, func(d resourcev1.Device) bool {
		_, ok := d.Capacity[name]
		return ok
	})
}

// sumCapacity returns ok = false if a summand is out of bounds.
func sumCapacity(devices []resourcev1.Device, name resourcev1.QualifiedName, e *metric.Emitter) (sum float64, ok bool) {
	for i := range devices {
		if c, has := devices[i].Capacity[name]; has {
			if !bounded(c.Value, e) {
				return 0, false
			}
			sum += fractional(c.Value)
		}
	}
	return sum, true
}

func deviceTaints(r *resourceSlice, e *metric.Emitter) {
	for i := range r.Spec.Devices {
		d := &r.Spec.Devices[i]
		for j := range d.Taints {
			t := &d.Taints[j]
			e.Add(1, r.Spec.Driver, r.Spec.Pool.Name, d.Name, t.Key, t.Value, string(t.Effect))
		}
	}
}
