package kind

import "github.com/kubestate/kubestate/metric"

type labels = []metric.Label

func label(name, doc string) metric.Label { return metric.Label{Name: name, Doc: doc} }

// Labels used by several tables. Labels of a single resource are declared in that
// resource's file.
var (
	namespace    = label("namespace", "namespace of the object")
	uid          = label("uid", "UID of the object")
	nodeName     = label("node", "name of the Node")
	phase        = label("phase", "phase of the object")
	condition    = label("condition", "type of the condition")
	status       = label("status", "whether the condition holds: true, false or unknown")
	conditionNow = label("condition", "whether the condition holds: true, false or unknown")
	reason       = label("reason", "the reason given, one word")
	resource     = label("resource", "name of the resource, characters outside [a-zA-Z0-9_] as underscores")
	quotaItem    = label("resource", "name of the resource, as in the object")
	unit         = label("unit", "unit of the value: core, byte or integer")

	storageClassName = label("storageclass", "name of the StorageClass")
	claimName        = label("persistentvolumeclaim", "name of the PersistentVolumeClaim")
	volumeName       = label("volumename", "name of the PersistentVolume")
	volumeMode       = label("volumemode", "what the volume is used as: Filesystem or Block")
	accessMode       = label("access_mode", "how the volume can be mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod")
	reclaimPolicy    = label("reclaim_policy", "what becomes of a volume that its claim no longer needs: Retain, Delete or Recycle")

	portName     = label("port_name", "name of the port")
	portProtocol = label("port_protocol", "protocol of the port: TCP, UDP or SCTP")
	portNumber   = label("port_number", "number of the port")

	taintKey    = label("key", "key of the taint")
	taintValue  = label("value", "value of the taint")
	taintEffect = label("effect", "what the taint does: NoSchedule, PreferNoSchedule or NoExecute")

	deviceDriver = label("driver", "name of the DRA driver")
	devicePool   = label("pool", "name of the pool of devices")
	deviceName   = label("device", "name of the device within its pool")

	roleLabels = labels{label("roleref_kind", "kind of the role: Role or ClusterRole"), label("roleref_name", "name of the role")}

	ownerKind         = label("owner_kind", "kind of the owner")
	ownerName         = label("owner_name", "name of the owner")
	ownerIsController = label("owner_is_controller", "whether the owner manages the object; empty without an owner")
	ownerLabels       = labels{ownerKind, ownerName, ownerIsController}
)
