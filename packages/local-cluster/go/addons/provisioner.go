package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// newProvisionerCommand makes a folder for each claim of its storage class, and removes it with the volume.
func newProvisionerCommand() *cobra.Command {
	var kubeconfig, name, folder string
	command := &cobra.Command{
		Use:   "local-path-provisioner",
		Short: "Provision volumes as folders of the node",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			ctx := genericapiserver.SetupSignalContext()
			// There is one, so nobody is to be elected; it does not listen (its metrics are off by default).
			provisioner := controller.NewProvisionController(ctx, client, name, &localPath{folder: folder},
				controller.LeaderElection(false), controller.AddFinalizer(true))
			provisioner.Run(ctx)
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server")
	flags.StringVar(&name, "provisioner", "", "name in storage classes")
	flags.StringVar(&folder, "folder", "", "absolute path of the folder that holds one folder per volume")
	for _, flag := range []string{"kubeconfig", "provisioner", "folder"} {
		_ = command.MarkFlagRequired(flag)
	}
	return command
}

type localPath struct{ folder string }

func (p *localPath) Provision(_ context.Context, options controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	claim := options.PVC
	if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == v1.PersistentVolumeBlock {
		return nil, controller.ProvisioningFinished, fmt.Errorf("volumeMode Block is not possible here: a volume is a folder of the node; use volumeMode Filesystem")
	}
	if options.SelectedNodeName == "" {
		return nil, controller.ProvisioningFinished, fmt.Errorf("no node was selected: the storage class needs volumeBindingMode WaitForFirstConsumer")
	}
	path := filepath.Join(p.folder, options.PVName)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	// Pods of any user write into it; nobody else gets to it through the folders above.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage]},
			MountOptions:                  options.StorageClass.MountOptions,
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchExpressions: []v1.NodeSelectorRequirement{{
					Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{options.SelectedNodeName},
				}},
			}}}},
		},
	}, controller.ProvisioningFinished, nil
}

func (p *localPath) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	// The name is the API server's, so it can't lead out of the folder.
	return os.RemoveAll(filepath.Join(p.folder, volume.Name))
}
