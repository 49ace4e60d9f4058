package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type persistentVolume = corev1.PersistentVolume

var persistentVolumePhases = []string{"Pending", "Available", "Bound", "Released", "Failed"}

// PersistentVolumes is the table of v1 PersistentVolume.
var PersistentVolumes = define(Kind[persistentVolume]{
	Resource: Resource{Version: "v1", Name: "persistentvolumes", Kind: "PersistentVolume"},
	Identity: labels{label("persistentvolume", "name of the PersistentVolume")},
	Reads: []string{
		"spec.claimRef.{namespace,name}",
		"spec.{capacity,accessModes,volumeMode,storageClassName,persistentVolumeReclaimPolicy}",
		"spec.{gcePersistentDisk.pdName,awsElasticBlockStore.volumeID,azureDisk.diskName,fc,iscsi,nfs,local,hostPath}",
		"spec.csi.{driver,volumeHandle,volumeAttributes}",
		"status.phase",
	},
	Begin: func(p *persistentVolume, e *metric.Emitter, s *metric.Schema) { e.Begin(s, p.Name) },
	Rows: []Row[persistentVolume]{
		each("kube_persistentvolume_claim_ref", stable, "The PersistentVolumeClaim that the PersistentVolume is for; always 1, absent while it is for none.", labels{
			label("name", "name of the PersistentVolumeClaim"),
			label("claim_namespace", "namespace of the PersistentVolumeClaim"),
		}, func(p *persistentVolume, e *metric.Emitter) {
			if c := p.Spec.ClaimRef; c != nil {
				e.Add(1, c.Name, c.Namespace)
			}
		}),
		annotationsOf("kube_persistentvolume_annotations", alpha, "PersistentVolume annotations selected by --metric-annotations-allowlist.",
			func(p *persistentVolume) map[string]string { return p.Annotations }),
		labelsOf("kube_persistentvolume_labels", stable, "PersistentVolume labels selected by --metric-labels-allowlist.",
			func(p *persistentVolume) map[string]string { return p.Labels }),
		stateset("kube_persistentvolume_status_phase", stable, "1 for the phase that the PersistentVolume is in, 0 for every other.", phase, persistentVolumePhases,
			func(p *persistentVolume) string { return string(p.Status.Phase) }),
		each("kube_persistentvolume_info", stable, "Class of the PersistentVolume and where its data is; always 1.", labels{
			storageClassName,
			label("gce_persistent_disk_name", "name of the disk at Google Compute Engine"),
			label("ebs_volume_id", "ID of the volume at Amazon Elastic Block Store"),
			label("azure_disk_name", "name of the disk at Azure"),
			label("fc_wwids", "world wide identifiers of the Fibre Channel volume, with commas between them"),
			label("fc_lun", "logical unit number of the Fibre Channel volume"),
			label("fc_target_wwns", "world wide names of the Fibre Channel targets, with commas between them"),
			label("iscsi_target_portal", "address of the iSCSI target"),
			label("iscsi_iqn", "qualified name of the iSCSI target"),
			label("iscsi_lun", "logical unit number of the iSCSI volume"),
			label("iscsi_initiator_name", "name that the Node uses as iSCSI initiator"),
			label("nfs_server", "host of the NFS server"),
			label("nfs_path", "path that the NFS server exports"),
			label("csi_driver", "name of the CSI driver"),
			label("csi_volume_handle", "ID that the CSI driver gave the volume"),
			label("local_path", "path of the local volume on its Node"),
			label("local_fs", "type of the file system of the local volume"),
			label("host_path", "path of the directory on the Node"),
			label("host_path_type", "what has to be at the path on the Node"),
			reclaimPolicy,
		}, persistentVolumeInfo),
		each("kube_persistentvolume_capacity_bytes", stable, "Size of the PersistentVolume, in bytes.", nil,
			func(p *persistentVolume, e *metric.Emitter) {
				addQuantity(p.Spec.Capacity[corev1.ResourceStorage], whole, e)
			}),
		timestamp("kube_persistentvolume_created", alpha, "When the PersistentVolume was created, in Unix seconds.",
			func(p *persistentVolume) *metav1.Time { return &p.CreationTimestamp }),
		timestamp("kube_persistentvolume_deletion_timestamp", alpha, "When the deletion of the PersistentVolume was asked for, in Unix seconds.",
			func(p *persistentVolume) *metav1.Time { return p.DeletionTimestamp }),
		optIn(each("kube_persistentvolume_csi_attributes", alpha, "Attributes of a CSI volume that say how it is mounted; always 1.", labels{
			label("csi_mounter", "value of the volume attribute mounter"),
			label("csi_map_options", "value of the volume attribute mapOptions"),
		}, func(p *persistentVolume, e *metric.Emitter) {
			if c := p.Spec.CSI; c != nil {
				e.Add(1, c.VolumeAttributes["mounter"], c.VolumeAttributes["mapOptions"])
			}
		})),
		info("kube_persistentvolume_volume_mode", alpha, "Whether the PersistentVolume is mounted or a bare device; always 1.", volumeMode,
			func(p *persistentVolume) string {
				return string(valueOr(p.Spec.VolumeMode, corev1.PersistentVolumeFilesystem))
			}),
		each("kube_persistentvolume_access_mode", alpha, "One series of value 1 per way in which the PersistentVolume can be mounted.", labels{accessMode},
			func(p *persistentVolume, e *metric.Emitter) {
				for _, m := range p.Spec.AccessModes {
					e.Add(1, string(m))
				}
			}),
	},
})

func persistentVolumeInfo(p *persistentVolume, e *metric.Emitter) {
	s := readVolumeSource(&p.Spec.PersistentVolumeSource, e)
	e.Add(1, p.Spec.StorageClassName, s.gceDisk, s.ebsVolume, s.azureDisk, s.fcWWIDs, s.fcLUN, s.fcTargets,
		s.iscsiPortal, s.iscsiIQN, s.iscsiLUN, s.iscsiInitiator, s.nfsServer, s.nfsPath, s.csiDriver, s.csiHandle,
		s.localPath, s.localFS, s.hostPath, s.hostPathType, string(p.Spec.PersistentVolumeReclaimPolicy))
}

// volumeSource has the label values of kube_persistentvolume_info that identify the
// storage. At most those of one type of storage are set.
type volumeSource struct {
	gceDisk, ebsVolume, azureDisk                   string
	fcWWIDs, fcLUN, fcTargets                       string
	iscsiPortal, iscsiIQN, iscsiLUN, iscsiInitiator string
	nfsServer, nfsPath                              string
	csiDriver, csiHandle                            string
	localPath, localFS                              string
	hostPath, hostPathType                          string
}

// readVolumeSource returns the first source that is set.
func readVolumeSource(s *corev1.PersistentVolumeSource, e *metric.Emitter) volumeSource {
	switch {
	case s.GCEPersistentDisk != nil:
		return volumeSource{gceDisk: s.GCEPersistentDisk.PDName}
	case s.AWSElasticBlockStore != nil:
		return volumeSource{ebsVolume: s.AWSElasticBlockStore.VolumeID}
	case s.AzureDisk != nil:
		return volumeSource{azureDisk: s.AzureDisk.DiskName}
	case s.FC != nil:
		v := volumeSource{fcWWIDs: commaSeparated(s.FC.WWIDs, e), fcTargets: commaSeparated(s.FC.TargetWWNs, e)}
		if s.FC.Lun != nil {
			v.fcLUN = e.Int(int64(*s.FC.Lun))
		}
		return v
	case s.ISCSI != nil:
		i := s.ISCSI
		return volumeSource{iscsiPortal: i.TargetPortal, iscsiIQN: i.IQN, iscsiLUN: e.Int(int64(i.Lun)), iscsiInitiator: valueOr(i.InitiatorName, "")}
	case s.NFS != nil:
		return volumeSource{nfsServer: s.NFS.Server, nfsPath: s.NFS.Path}
	case s.CSI != nil:
		return volumeSource{csiDriver: s.CSI.Driver, csiHandle: s.CSI.VolumeHandle}
	case s.Local != nil:
		return volumeSource{localPath: s.Local.Path, localFS: valueOr(s.Local.FSType, "")}
	case s.HostPath != nil:
		return volumeSource{hostPath: s.HostPath.Path, hostPathType: string(valueOr(s.HostPath.Type, corev1.HostPathUnset))}
	}
	return volumeSource{}
}

// commaSeparated joins items with commas, in memory owned by e.
func commaSeparated(items []string, e *metric.Emitter) string {
	if len(items) == 0 {
		return ""
	}
	joined := items[0]
	for _, item := range items[1:] {
		joined = e.Concat(joined, ",", item)
	}
	return joined
}
