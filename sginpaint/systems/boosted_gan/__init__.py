"""The boosted GAN: attributes and segmentation guide and judge the filling."""
